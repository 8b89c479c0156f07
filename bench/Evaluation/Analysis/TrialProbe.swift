import Foundation
import Kernels
import Models
import Tasks

/// Plays trials of a bandit as a policy does and looks into them: the work of one thread.
final class TrialProbe {
    static let lanes = 64

    private let family: BernoulliBandit
    private let rules: [ChoiceRule]
    private let root: RandomSource
    /// The policy, and its untrained twin.
    private let readers: [any HistoryReader]
    private var thompson = ThompsonChoice()
    /// π of the trials at hand as they were played [n, lanes, k]
    private var played: [Double] = []
    /// Features, targets and 1 of each lane [lanes, width]
    private var rows: [Double] = []

    init(
        _ policy: any SequencePolicy, weights: Matrix, untrained: Matrix, family: BernoulliBandit, rules: [ChoiceRule],
        root: RandomSource
    ) {
        (self.family, self.rules, self.root) = (family, rules, root)
        readers = [weights, untrained].map { policy.makeReader(weights: $0, family: family, lanes: Self.lanes) }
    }

    /// Numbers of a lane's state; 0: it cannot be read.
    var featureWidth: Int { readers[0].featureWidth }

    /// Plays members and adds what is found to `sums`.
    /// - Parameter readouts: of the policy and its twin, to be tested; nil: sums to fit them from are wanted.
    func run(_ members: Range<Int>, readouts: [LinearReadout]?, into sums: inout TrialSums) {
        for first in stride(from: members.lowerBound, to: members.upperBound, by: Self.lanes) {
            let group = first..<min(first + Self.lanes, members.upperBound)
            let histories = BanditHistories(group, of: family, root: root, played: readers[0])
            compare(histories, readouts, &sums)
            probe(histories, with: 1, readouts, &sums)
            rename(histories, group, &sums)
            for flip in sums.flippedPulls.indices { self.flip(histories, flip, &sums) }
        }
    }

    private func distribution(_ lane: Int) -> [Double] {
        readers[0].logProbabilities[lane * family.arms..<(lane + 1) * family.arms].map { exp(Double($0)) }
    }

    private func played(_ pull: Int, _ lane: Int, lanes: Int) -> ArraySlice<Double> {
        let start = (pull * lanes + lane) * family.arms
        return played[start..<start + family.arms]
    }

    /// The trials as they were played: choices against rules, and the state against counts.
    private func compare(_ histories: BanditHistories, _ readouts: [LinearReadout]?, _ sums: inout TrialSums) {
        played.removeAll(keepingCapacity: true)
        histories.show(to: readers[0]) { pull, counts in
            for lane in 0..<histories.lanes {
                let (successes, failures) = (counts.successes(lane), counts.failures(lane))
                let chosen = distribution(lane)
                played += chosen
                let mode = mostProbable(chosen)
                let allowed = rules.map { $0.arms(successes, failures, pull) }
                for (index, arms) in allowed.enumerated() {
                    sums.mode[index][pull].add(arms.contains(mode) ? 1 : 0)
                    sums.probability[index][pull].add(arms.reduce(0) { $0 + chosen[$1] })
                    sums.chance[index][pull].add(Double(arms.count) / Double(family.arms))
                    let isContested = !arms.contains { allowed[0].contains($0) }
                    sums.contested[index].add(isContested ? 1 : 0)
                    guard isContested else { continue }
                    sums.withReference[index].add(allowed[0].contains(mode) ? 1 : 0)
                    sums.withRule[index].add(arms.contains(mode) ? 1 : 0)
                }
            }
            readState(0, pull, counts, lanes: histories.lanes, readouts, &sums)
        }
    }

    private func probe(
        _ histories: BanditHistories, with reader: Int, _ readouts: [LinearReadout]?, _ sums: inout TrialSums
    ) {
        histories.show(to: readers[reader]) { pull, counts in
            readState(reader, pull, counts, lanes: histories.lanes, readouts, &sums)
        }
    }

    /// Posterior means and pull counts of all arms beside what a reader's state is.
    private func readState(
        _ reader: Int, _ pull: Int, _ counts: LaneCounts, lanes: Int, _ readouts: [LinearReadout]?,
        _ sums: inout TrialSums
    ) {
        let (features, arms) = (featureWidth, family.arms)
        guard features > 0 else { return }
        let (targets, width) = (2 * arms, features + 2 * arms + 1)
        rows = [Double](repeating: 1, count: lanes * width)
        rows.withUnsafeMutableBufferPointer { rows in
            readers[reader].writeFeatures(to: rows.baseAddress!, stride: width)
            for lane in 0..<lanes {
                let place = rows.baseAddress! + lane * width + features
                for arm in 0..<arms {
                    let (s, f) = (counts.successes[lane * arms + arm], counts.failures[lane * arms + arm])
                    switch family.prior {
                    case .beta(let shape): place[arm] = (shape + Double(s)) / (2 * shape + Double(s + f))
                    case .dependent:
                        // What the other arm lost, this one would have won.
                        let (won, lost) = (
                            counts.failures[lane * arms + 1 - arm], counts.successes[lane * arms + 1 - arm]
                        )
                        place[arm] = Double(1 + s + won) / Double(2 + s + f + won + lost)
                    }
                    place[arms + arm] = Double(s + f)
                }
            }
            let start = UnsafePointer(rows.baseAddress!)
            guard let readouts else {
                sums.readouts[reader].add(lanes, start)
                return
            }
            let read = readouts[reader].read(lanes, start, stride: width)
            for lane in 0..<lanes {
                for target in 0..<targets {
                    sums.errors[reader].add(
                        step: pull, target: target, value: start[lane * width + features + target],
                        read: read[lane * targets + target])
                }
            }
        }
    }

    /// Each trial under other names of its arms, drawn for the trial; never the same names.
    private func rename(_ histories: BanditHistories, _ members: Range<Int>, _ sums: inout TrialSums) {
        guard family.arms > 1 else { return }
        let names = members.map { member -> [Int] in
            // No member has this number.
            var random = root.split(-1, member)
            var names = Array(0..<family.arms)
            while names == Array(0..<family.arms) { names = random.permutation(family.arms) }
            return names
        }
        histories.renamed(names).show(to: readers[0]) { pull, _ in
            for lane in 0..<histories.lanes {
                let renamed = distribution(lane)
                let back = names[lane].map { renamed[$0] }
                sums.renaming[pull].add(totalVariation(played(pull, lane, lanes: histories.lanes), back))
            }
        }
    }

    /// What the first rule does if it draws among equals [k].
    private func equalShares(_ successes: [Int], _ failures: [Int], _ pull: Int) -> [Double] {
        let allowed = rules[0].arms(successes, failures, pull)
        return successes.indices.map { allowed.contains($0) ? 1 / Double(allowed.count) : 0 }
    }

    /// Each trial with one reward turned over; all else stays, what was pulled afterwards too.
    private func flip(_ histories: BanditHistories, _ index: Int, _ sums: inout TrialSums) {
        let (flipped, lanes) = (sums.flippedPulls[index], histories.lanes)
        let lagOfPull = Dictionary(uniqueKeysWithValues: sums.lags.enumerated().map { (flipped + $1, $0) })
        histories.flipped(pull: flipped).show(to: readers[0]) { pull, counts in
            guard let lag = lagOfPull[pull] else { return }
            for lane in 0..<lanes {
                let place = flipped * lanes + lane
                let (arm, paid) = (Int(histories.actions[place]), histories.rewards[place] > 0.5)
                // Here `counts` hold the flipped reward; put it back for Thompson sampling's own answer.
                let (successes, failures) = (counts.successes(lane), counts.failures(lane))
                var (before, beforeFailures) = (successes, failures)
                before[arm] += paid ? 1 : -1
                beforeFailures[arm] += paid ? -1 : 1
                let pairs = [
                    (Array(played(pull, lane, lanes: lanes)), distribution(lane)),
                    (
                        thompson.probabilities(successes: before, failures: beforeFailures),
                        thompson.probabilities(successes: successes, failures: failures)
                    ),
                    (
                        equalShares(before, beforeFailures, pull), equalShares(successes, failures, pull)
                    ),
                ]
                for (who, pair) in pairs.enumerated() {
                    sums.effects[who][index][lag].add((paid ? 1 : -1) * (pair.0[arm] - pair.1[arm]))
                    sums.variations[who][index][lag].add(totalVariation(pair.0, pair.1))
                }
            }
        }
    }
}
