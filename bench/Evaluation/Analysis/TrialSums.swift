import Foundation
import Kernels
import Tasks

/// What is counted over the trials of one part of an analysis.
struct TrialSums {
    /// Pulls whose reward is flipped, from 0: the first, and those a quarter and half way.
    let flippedPulls: [Int]
    /// Pulls later at which the effect is measured.
    let lags: [Int]
    /// Histories at which the most probable arm is allowed, by rule and pull [rules][n]; probability of allowed arms; share
    /// of arms that are allowed.
    var mode, probability, chance: [[Moments]]
    /// Total variation under renaming [n]
    var renaming: [Moments]
    /// Histories at which a rule and the first allow no arm in common, of all; of those, the most probable arm is the first
    /// rule's, or the other's [rules]
    var contested, withReference, withRule: [Moments]
    /// By flipped pull and lag [flips][lags], of the policy, of Thompson sampling and of the first rule
    var effects, variations: [[[Moments]]]
    /// Of the policy and of its untrained twin: what readouts are fitted from, or how they did; one of the two is used.
    var readouts: [ReadoutSums]
    var errors: [ReadoutErrors]

    init(family: BernoulliBandit, rules: Int, features: Int) {
        let pulls = family.episodes
        flippedPulls = Array(Set([0, pulls / 4, pulls / 2])).sorted().filter { $0 + 1 < pulls }
        lags = [1, 2, 5, 20, 50, 200, 500].filter { $0 < pulls }
        mode = [[Moments]](repeating: [Moments](repeating: Moments(), count: pulls), count: rules)
        (probability, chance) = (mode, mode)
        renaming = [Moments](repeating: Moments(), count: pulls)
        contested = [Moments](repeating: Moments(), count: rules)
        (withReference, withRule) = (contested, contested)
        let flips = [[Moments]](
            repeating: [Moments](repeating: Moments(), count: lags.count), count: flippedPulls.count)
        effects = [[[Moments]]](repeating: flips, count: 3)
        variations = effects
        readouts = [ReadoutSums](repeating: ReadoutSums(features: features, targets: 2 * family.arms), count: 2)
        errors = [ReadoutErrors](repeating: ReadoutErrors(steps: pulls, targets: 2 * family.arms), count: 2)
    }

    mutating func add(_ other: TrialSums) {
        func add(_ other: [Moments], to sums: inout [Moments]) {
            for index in sums.indices { sums[index].add(other[index]) }
        }
        func addRows(_ other: [[Moments]], to sums: inout [[Moments]]) {
            for row in sums.indices { add(other[row], to: &sums[row]) }
        }
        addRows(other.mode, to: &mode)
        addRows(other.probability, to: &probability)
        addRows(other.chance, to: &chance)
        add(other.contested, to: &contested)
        add(other.withReference, to: &withReference)
        add(other.withRule, to: &withRule)
        add(other.renaming, to: &renaming)
        for who in effects.indices {
            addRows(other.effects[who], to: &effects[who])
            addRows(other.variations[who], to: &variations[who])
        }
        for index in readouts.indices { readouts[index].add(other.readouts[index]) }
        for index in errors.indices { errors[index].add(other.errors[index]) }
    }
}
