import Tasks

/// How well a quantity is read, in counts that can be added up in parts.
struct QuantityScore {
    let quantity: ProbeQuantity
    private let moments: Int
    /// Of a vector: of the policy and of its untrained twin.
    private var errors: [ReadoutErrors] = []
    /// Of classes and statements: how often each answer was right in the trials that read-outs are fitted to, and in the
    /// others [moments, answers]
    private var fitted: [Double] = []
    private var tested: [Double] = []
    /// What the policy and its twin got right, and what was asked [moments]
    private var hits: [[Double]] = []
    private var asked: [Double] = []

    init(_ quantity: ProbeQuantity, moments: Int) {
        (self.quantity, self.moments) = (quantity, moments)
        switch quantity.kind {
        case .vector(let count):
            errors = [ReadoutErrors](repeating: ReadoutErrors(steps: moments, targets: count), count: 2)
        case .classes, .statements:
            fitted = [Double](repeating: 0, count: moments * answers)
            tested = fitted
            asked = [Double](repeating: 0, count: moments)
            hits = [asked, asked]
        }
    }

    /// Questions with answers of their own: one of n classes, or n of true and false.
    private var questions: Int { if case .statements(let count) = quantity.kind { count } else { 1 } }
    private var choices: Int { if case .classes(let count) = quantity.kind { count } else { 2 } }
    private var answers: Int { questions * choices }

    /// The answer to a question; nil if it is not known.
    private func answer(_ question: Int, _ value: UnsafePointer<Double>) -> Int? {
        switch quantity.kind {
        case .classes: Int(value[0])
        case .statements: value[question] == 0 ? nil : value[question] > 0 ? 1 : 0
        case .vector: nil
        }
    }

    /// The answer that is read off a linear map's numbers: the class of the largest, the sign of a statement's.
    private func read(_ question: Int, _ numbers: UnsafePointer<Double>) -> Int {
        if case .statements = quantity.kind { return numbers[question] > 0 ? 1 : 0 }
        return (0..<choices).reduce(0) { numbers[$1] > numbers[$0] ? $1 : $0 }
    }

    /// Takes note of a value in a trial that read-outs are fitted to.
    mutating func fit(_ value: UnsafePointer<Double>, at places: [Int]) {
        if case .vector = quantity.kind { return }
        for question in 0..<questions {
            guard let answer = answer(question, value) else { continue }
            for place in places { fitted[place * answers + question * choices + answer] += 1 }
        }
    }

    /// Takes note of what was read in another trial.
    /// - Parameters:
    ///   - reader: 0 for the policy, 1 for its twin.
    ///   - numbers: what the linear map gives [columnCount]
    mutating func judge(
        _ reader: Int, _ value: UnsafePointer<Double>, read numbers: UnsafePointer<Double>, at places: [Int]
    ) {
        if case .vector(let count) = quantity.kind {
            for place in places {
                for target in 0..<count {
                    errors[reader].add(step: place, target: target, value: value[target], read: numbers[target])
                }
            }
            return
        }
        for question in 0..<questions {
            guard let answer = answer(question, value) else { continue }
            let isRight = read(question, numbers) == answer
            for place in places {
                if isRight { hits[reader][place] += 1 }
                guard reader == 0 else { continue }
                asked[place] += 1
                tested[place * answers + question * choices + answer] += 1
            }
        }
    }

    mutating func add(_ other: QuantityScore) {
        func add(_ others: [Double], to sums: inout [Double]) {
            for place in sums.indices { sums[place] += others[place] }
        }
        add(other.fitted, to: &fitted)
        add(other.tested, to: &tested)
        add(other.asked, to: &asked)
        for reader in hits.indices { add(other.hits[reader], to: &hits[reader]) }
        for reader in errors.indices { errors[reader].add(other.errors[reader]) }
    }

    /// What came of it.
    func reading(_ moments: TrialMoments) -> InsideTrial.Reading {
        func share(_ counts: [Double], _ places: [Int]) -> Double? {
            let total = places.reduce(0) { $0 + asked[$1] }
            return total > 0 ? places.reduce(0) { $0 + counts[$1] } / total : nil
        }
        func scores(_ reader: Int) -> InsideTrial.Scores {
            moments.scores { places in
                if case .vector(let count) = quantity.kind {
                    return errors[reader].explained(targets: 0..<count, withinEach: places)
                }
                return share(hits[reader], places)
            }
        }
        let isVector = if case .vector = quantity.kind { true } else { false }
        let guessed = isVector ? [] : (0..<self.moments).map(guessed)
        return InsideTrial.Reading(
            quantity: quantity.name, meaning: quantity.meaning, measure: isVector ? .explained : .accuracy,
            trained: scores(0), untrained: scores(1),
            baseline: isVector ? nil : moments.scores { share(guessed, $0) })
    }

    /// What is right of the answers that were the most frequent among those fitted to.
    private func guessed(_ moment: Int) -> Double {
        (0..<questions).reduce(0) { sum, question in
            let first = moment * answers + question * choices
            let best = (first..<first + choices).reduce(first) { fitted[$1] > fitted[$0] ? $1 : $0 }
            return sum + tested[best]
        }
    }
}

extension ProbeQuantity {
    /// Numbers that a linear map gives of it.
    var columnCount: Int { if case .classes(let count) = kind { count } else { valueCount } }

    /// What a linear map is fitted to: of classes 1 for the right one and 0 for others, else the value itself.
    func encode(_ value: UnsafePointer<Double>, into columns: UnsafeMutablePointer<Double>) {
        guard case .classes(let count) = kind else {
            columns.update(from: value, count: valueCount)
            return
        }
        columns.update(repeating: 0, count: count)
        let number = Int(value[0])
        precondition((0..<count).contains(number), "'\(name)' is \(number), and there are \(count) classes")
        columns[number] = 1
    }
}
