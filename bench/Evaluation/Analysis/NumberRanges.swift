/// The numbers 1 … count in ranges, each alone if they are few, else in ever wider ones: 1, 2, 3–5, 6–10, 11–20, ….
struct NumberRanges: Sendable, Equatable {
    /// Last number of each range.
    let ends: [Int]

    init(upTo count: Int) { ends = NumberRanges.ends(upTo: count) }

    init(ends: [Int]) { self.ends = ends }

    /// All of a dozen numbers, else 1, 2, 5, 10, 20, … and the last.
    static func ends(upTo count: Int) -> [Int] {
        guard count > 12 else { return Array(1...max(1, count)) }
        let round = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000].filter { $0 <= count }
        return round + (round.last == count ? [] : [count])
    }

    var count: Int { ends.count }

    /// The range that holds a number; the last one for numbers beyond it.
    func index(of number: Int) -> Int { ends.firstIndex { $0 >= number } ?? ends.count - 1 }

    var titles: [String] {
        ends.indices.map { index in
            let first = index > 0 ? ends[index - 1] + 1 : 1
            return first == ends[index] ? "\(first)" : "\(first)–\(ends[index])"
        }
    }
}
