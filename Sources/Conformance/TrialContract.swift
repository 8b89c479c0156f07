import Foundation
import Interface
import Kernels
import Models
import Tasks
import Training

/// A line of the RL² contract: what must hold of every model on every task, however the outer loop plays.
public enum ContractLine: Int, Sendable, CaseIterable {
    case firstInput = 1
    case episodeEnd, memory, returns, critic, isolation, rows

    /// One or two words.
    public var name: String {
        switch self {
        case .firstInput: "1 inputs"
        case .episodeEnd: "2 episode ends"
        case .memory: "3 memory"
        case .returns: "4 returns"
        case .critic: "5 critic"
        case .isolation: "6 isolation"
        case .rows: "7 rows"
        }
    }

    /// What holds where the line holds.
    public var statement: String {
        switch self {
        case .firstInput: "a step is given (s_t, a_t−1, r_t−1, d_t−1); at the first step of a trial a, r and d are zero"
        case .episodeEnd:
            "after an episode's end the new episode's first observation comes with the last action and reward and d = 1"
        case .memory: "memory begins at the start of a trial and nowhere else; the member is drawn once a trial"
        case .returns: "return and GAE run across episode ends"
        case .critic: "the critic sees the same history as the policy"
        case .isolation: "no lane sees another, no step sees the future"
        case .rows: "what lies beyond a trial's end exists nowhere"
        }
    }
}

/// Judges a model on a task by the RL² contract, with real trials that an outer loop played.
///
/// Each line has its own evidence, so that a fault shows in the line that is about it and in no other.
struct TrialContract {
    private let setting: TrialSetting
    private let judged: JudgedTrials
    private let trials: [JudgedTrials.Trial]
    /// The same actions by the book, for each of `trials`.
    private let references: [ReferenceTrial]
    private let policy: ModelUnderTest
    private let critic: ModelUnderTest

    /// Steps that are changed, in each of some trials.
    private static let changes = 4
    private static let changedTrials = 3

    /// What the model was asked to forget.
    private let memoryReset: MemoryReset

    init(setting: TrialSetting, memoryReset: MemoryReset, loop: any OuterLoop) {
        self.setting = setting
        self.memoryReset = memoryReset
        judged = loop.judge(setting)
        trials = judged.trials
        references = trials.map { trial in
            ReferenceTrial(
                setting.family, streams: TrialStreams(setting.root.split(trial.number)),
                actions: trial.steps.map(\.action))
        }
        let inputs = TrialInputs(
            steps: trials.map(\.inputs), observation: setting.family.observation, actions: setting.family.actions)
        policy = ModelUnderTest(setting.policy, parameters: setting.policyParameters, trials: inputs)
        critic = ModelUnderTest(setting.critic, parameters: setting.criticParameters, trials: inputs)
    }

    /// A finding for each `ContractLine`, in their order.
    func findings() -> [Finding] {
        ContractLine.allCases.map { line in
            if line == .memory && memoryReset != .none {
                return Finding(
                    line.name, .notJudged, "it is asked to forget '\(memoryReset)' of its memory when an episode ends")
            }
            var judgement = Judgement()
            switch line {
            case .firstInput: firstInput(&judgement)
            case .episodeEnd: episodeEnd(&judgement)
            case .memory: memory(&judgement)
            case .returns: returns(&judgement)
            case .critic: criticHistory(&judgement)
            case .isolation: isolation(&judgement)
            case .rows: rows(&judgement)
            }
            return judgement.finding(line.name)
        }
    }

    // MARK: Lines

    /// Line 1: inputs but for those that follow an episode's end; and a policy that tells "no action yet" from each action.
    private func firstInput(_ judgement: inout Judgement) {
        for trial in trials {
            let first = trial.steps[0].input
            judgement.require(
                first.previousAction == -1 && first.previousReward == 0 && first.episodeEnd == 0
                    && first.stepIndex == 0,
                "trial \(trial.number) begins with action \(first.previousAction), reward \(first.previousReward), "
                    + "flag \(first.episodeEnd) and step \(first.stepIndex)")
            for (step, (before, now)) in zip(trial.steps, trial.steps.dropFirst()).enumerated()
            where !before.endsEpisode {
                judgement.require(
                    follows(now.input, before, step: step + 1, flag: 0),
                    "trial \(trial.number), step \(step + 1): not the action, reward and flag of the step before")
            }
        }
        for action in 0..<Int32(setting.family.actions) {
            judgement.require(
                responds(policy, trial: 0, step: 0) { $0.previousAction = action },
                "the policy takes the first step of a trial for one after action \(action)")
        }
        judgement.note("\(trials.count) trials")
    }

    private func follows(_ input: StepInput, _ before: TrialStep, step: Int, flag: Float) -> Bool {
        input.previousAction == before.action && input.previousReward == before.reward && input.episodeEnd == flag
            && input.stepIndex == Int32(step)
    }

    /// Line 2: inputs that follow an episode's end; and a policy that reads each part of them.
    private func episodeEnd(_ judgement: inout Judgement) {
        var (terminations, timeLimits) = (0, 0)
        for (trial, reference) in zip(trials, references) {
            for step in trial.steps.indices.dropFirst() where trial.steps[step - 1].endsEpisode {
                let (before, input) = (trial.steps[step - 1], trial.steps[step].input)
                judgement.require(
                    follows(input, before, step: step, flag: 1),
                    "trial \(trial.number), step \(step): after an episode that ended with action \(before.action) and "
                        + "reward \(before.reward) the policy is given action \(input.previousAction), reward "
                        + "\(input.previousReward) and flag \(input.episodeEnd)")
            }
            if departure(trial, from: reference) == .showsEnd {
                judgement.require(
                    false, "trial \(trial.number): a new episode begins with the observation that ended the last")
            }
            for step in reference.steps.dropLast() where step.transition.endsEpisode {
                if step.transition.truncated { timeLimits += 1 } else { terminations += 1 }
            }
        }
        for (trial, step) in boundaries {
            let parts: [(name: String, change: (inout StepInput) -> Void)] = [
                ("reward", { $0.previousReward += 1 }), ("flag", { $0.episodeEnd = 0 }),
                ("action", { $0.previousAction = ($0.previousAction + 1) % Int32(setting.family.actions) }),
                (
                    "observation",
                    { input in
                        for index in input.vector.indices { input.vector[index] += 1 }
                        for index in input.image.indices { input.image[index] &+= 100 }
                    }
                ),
            ]
            for part in parts {
                if part.name == "action" && setting.family.actions == 1 { continue }
                if part.name == "observation" && setting.family.observation.count == 0 { continue }
                judgement.require(
                    responds(policy, trial: trial, step: step, part.change),
                    "the policy does not see the \(part.name) that it is given after an episode's end")
            }
        }
        judgement.note("\(terminations) terminations, \(timeLimits) time limits")
    }

    /// Line 3, but for candidates that were asked to break it: actions that follow from the whole trial's history, a memory that holds over an episode's end, and one
    /// member a trial.
    private func memory(_ judgement: inout Judgement) {
        let forgotten = setting.policy.memoryReset
        judgement.require(forgotten == .none, "the policy forgets '\(forgotten)' of its memory when an episode ends")
        judgement.require(judged.repeats, "trials played a second time differ: memory outlives a trial")
        let misfits = misfits(.never)
        if misfits > 0 && self.misfits(.episodeEnds) == 0 {
            judgement.require(false, "\(misfits) actions tell of a memory that was reset when an episode ended")
        }
        for (trial, reference) in zip(trials, references) {
            if departure(trial, from: reference) == .otherMember {
                judgement.require(false, "trial \(trial.number) is not that of the member which was drawn for it")
            }
        }
        if setting.family.episodes > 1 {
            judgement.require(
                FamilyLaws.membersDifferAfterReset(setting.family),
                "members do not differ after their first episode: reset draws what sample should")
        }
        judgement.require(
            FamilyLaws.resetForgetsEpisodes(setting.family), "an episode depends on the episodes before it")
        let memoryless = setting.policy.memoryBytes(steps: setting.family.maximumTrialSteps) == 0
        var random = RandomSource(seed: 81)
        for (trial, step) in boundaries where canChange(step - 1) {
            let alone = alone(policy, trial)
            let report = changeReport(alone, trial: 0, step: step - 1, random: &random)
            judgement.require(
                report.laterSteps.isEmpty == memoryless,
                memoryless
                    ? "a policy without memory remembers"
                    : "what is shown before an episode's end changes nothing after it")
        }
        judgement.note("\(trials.reduce(0) { $0 + $1.steps.count }) actions follow from their histories")
    }

    /// Line 4: advantages, targets and the scale of returns against sums that know of no episodes.
    private func returns(_ judgement: inout Judgement) {
        let (discount, steps) = (Double(setting.discount), trials.map(\.steps.count).max() ?? 0)
        let tolerance = roundingTolerance(depth: 10 * steps)
        var (sums, counts) = ([Double](repeating: 0, count: steps), [Double](repeating: 0, count: steps))
        var (worst, largest) = (0.0, 0.0)
        for trial in trials {
            let rewards = trial.steps.map { Double($0.reward) }
            let values = trial.steps.map { Double($0.value) } + [0]
            let magnitude = (rewards + values).reduce(0) { $0 + abs($1) }
            func sum(_ terms: [Double], _ factor: Double) -> [Double] {
                var later = 0.0
                return terms.reversed().map { term in
                    later = term + factor * later
                    return later
                }.reversed()
            }
            let errors = rewards.indices.map { rewards[$0] + discount * values[$0 + 1] - values[$0] }
            let advantages = sum(errors, discount * Double(setting.lambda))
            let targets = zip(sum(errors, discount * Double(setting.targetLambda)), values).map(+)
            for (step, total) in sum(rewards, discount).enumerated() {
                sums[step] += total
                counts[step] += 1
            }
            for (index, step) in trial.steps.enumerated() {
                let error = max(
                    abs(Double(step.advantage) - advantages[index]), abs(Double(step.target) - targets[index]))
                judgement.require(
                    error <= tolerance * magnitude,
                    "trial \(trial.number), step \(index): advantage \(step.advantage) and target \(step.target), where "
                        + "the trial's rewards to its end make \(Float(advantages[index])) and \(Float(targets[index]))"
                )
                worst = max(worst, error)
            }
            largest = max(largest, magnitude)
        }
        for step in 0..<steps {
            let mean = sums[step] / counts[step]
            judgement.require(
                step < judged.returnMeans.count
                    && abs(Double(judged.returnMeans[step]) - mean) <= tolerance * max(largest, 1),
                "the mean return from step \(step) to the end of a trial is \(Float(mean)), and is not taken as such")
        }
        judgement.note("largest error \(Display.scientific(worst))")
    }

    /// Line 5: values are the critic's, of the very rows that the policy was given; and what moves the policy moves the
    /// critic: later in the episode as after it.
    private func criticHistory(_ judgement: inout Judgement) {
        var worst = 0.0
        for shard in judged.shards {
            let outputs = alone(critic, shard).unrolled()
            for (lane, trial) in shard.enumerated() {
                let scale = trial.steps.map { abs($0.value) }.max() ?? 0
                for (index, step) in trial.steps.enumerated() where index < judged.returnMeans.count {
                    let value = judged.returnMeans[index] + judged.returnDeviations[index] * outputs[lane][index][0]
                    let error = Double(abs(value - step.value)) / Double(max(scale, 1))
                    worst = max(worst, error.isNaN ? .infinity : error)
                }
            }
        }
        judgement.require(
            worst < 1e-5, "values lie \(Display.scientific(worst)) from those of the history that the policy was given")
        var random = RandomSource(seed: 82)
        for (trial, step) in changedSteps {
            var copy = random
            let played = trials[trial].steps
            let (mine, its) = (
                changeReport(alone(policy, trial), trial: 0, step: step, random: &random),
                changeReport(alone(critic, trial), trial: 0, step: step, random: &copy)
            )
            let end = played.indices.first { $0 >= step && played[$0].endsEpisode } ?? played.count - 1
            for (place, range) in [
                ("at once", step..<step + 1), ("in its episode", step + 1..<end + 1),
                ("in later episodes", end + 1..<played.count),
            ] {
                judgement.require(
                    !moves(mine, step, range) || moves(its, step, range),
                    "what is shown at step \(step) moves the policy \(place), and the critic not")
            }
        }
        judgement.note("values meet to \(Display.scientific(worst))")
    }

    private func moves(_ report: ChangeReport, _ step: Int, _ range: Range<Int>) -> Bool {
        (report.presentChanges && range.contains(step)) || report.laterSteps.contains { range.contains($0) }
    }

    /// Line 6: actions that follow from the trial's own history, and changes that reach neither other lanes nor the past.
    private func isolation(_ judgement: inout Judgement) {
        let misfits = misfits(.never)
        if misfits > 0 && judged.repeats && self.misfits(.episodeEnds) > 0 {
            judgement.require(false, "\(misfits) actions do not follow from what their trial was given before them")
        }
        var random = RandomSource(seed: 83)
        var changes = 0
        for (role, model) in [("policy", policy), ("critic", critic)] {
            let shard = alone(model, Array(judged.shards[0].prefix(4)))
            let before = shard.unrolled()
            for trial in shard.trials.steps.indices.prefix(TrialContract.changedTrials) {
                for step in spread(shard.trials.steps[trial].count) where canChange(step) {
                    let report = changeReport(shard, before: before, trial: trial, step: step, random: &random)
                    judgement.require(report.pastIsUntouched, "a step shows in the \(role)'s outputs before it")
                    judgement.require(report.othersAreUntouched, "a lane shows in the \(role)'s outputs of another")
                    changes += 1
                }
            }
        }
        judgement.note("\(changes) changes, the same outputs elsewhere")
    }

    /// Line 7: as many rows as steps were played, n episodes a trial, and means over just these rows.
    private func rows(_ judgement: inout Judgement) {
        for trial in trials {
            let ends = trial.steps.count { $0.endsEpisode }
            judgement.require(
                ends == setting.family.episodes && trial.steps.last?.endsEpisode == true,
                "trial \(trial.number) has \(ends) episode ends and \(trial.steps.count) steps; the task has "
                    + "\(setting.family.episodes) episodes")
        }
        let count = trials.reduce(0) { $0 + $1.steps.count }
        judgement.require(judged.rows == count, "means are over \(judged.rows) rows; \(count) steps were played")
        let advantages = trials.flatMap { $0.standardized.map { Double($0) } }
        let mean = advantages.reduce(0, +) / Double(advantages.count)
        let variance = advantages.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(advantages.count)
        judgement.require(
            abs(mean) < 1e-4 && abs(variance - 1) < 1e-3,
            "standardised advantages have mean \(Display.scientific(mean)) and variance \(Float(variance)) over these steps"
        )
        var entropy = 0.0
        for shard in judged.shards {
            for logits in alone(policy, shard).unrolled().joined() {
                let logProbabilities = logProbabilities(logits)
                entropy += Categorical.entropySum(
                    rows: 1, outcomes: logits.count, logProbabilities: logProbabilities)
            }
        }
        entropy /= Double(count)
        judgement.require(
            abs(entropy - judged.entropy) < 1e-4,
            "the mean entropy of these steps is \(Float(entropy)), that of the update \(Float(judged.entropy))")
        judgement.note("\(count) steps, mean entropy \(Float(entropy))")
    }

    // MARK: Evidence

    /// Where a trial first differs from what the book says.
    private enum Departure { case showsEnd, otherMember }

    private func departure(_ trial: JudgedTrials.Trial, from reference: ReferenceTrial) -> Departure? {
        for (index, (step, expected)) in zip(trial.steps, reference.steps).enumerated() {
            let shown = Observation(of: step.input)
            if shown != expected.observation {
                let isFirst = index > 0 && trial.steps[index - 1].endsEpisode
                return isFirst && shown == reference.steps[index - 1].following ? .showsEnd : .otherMember
            }
            if step.reward != expected.transition.reward || step.endsEpisode != expected.transition.endsEpisode {
                return .otherMember
            }
        }
        return nil
    }

    /// Actions that are not those which the trial's own uniform numbers draw from the policy's distribution, given what
    /// the trial alone was shown.
    private func misfits(_ reset: ModelUnderTest.LaneReset) -> Int {
        var misfits = 0
        for (index, trial) in trials.enumerated() {
            var uniforms = TrialStreams(setting.root.split(trial.number)).actions
            for (logits, step) in zip(alone(policy, index).stepped(resetting: reset)[0], trial.steps) {
                let probabilities = logProbabilities(logits).map { exp(Double($0)) }
                let uniform = Double(uniforms.uniform())
                let below = probabilities.prefix(Int(step.action)).reduce(0, +)
                // Sums of other lanes' shapes are rounded otherwise.
                let margin = 1e-4
                if uniform < below - margin || uniform > below + probabilities[Int(step.action)] + margin {
                    misfits += 1
                }
            }
        }
        return misfits
    }

    private func logProbabilities(_ logits: [Float]) -> [Float] {
        var result = logits
        Categorical.logProbabilities(rows: 1, outcomes: logits.count, logits: logits, into: &result)
        return result
    }

    /// A model with one trial, or with those of a shard as they were packed.
    private func alone(_ model: ModelUnderTest, _ trial: Int) -> ModelUnderTest { alone(model, [trials[trial]]) }

    private func alone(_ model: ModelUnderTest, _ trials: [JudgedTrials.Trial]) -> ModelUnderTest {
        var inputs = model.trials
        inputs.steps = trials.map(\.inputs)
        return model.with(inputs)
    }

    /// Whether the output at a step changes with what is shown there.
    private func responds(
        _ model: ModelUnderTest, trial: Int, step: Int, _ change: (inout StepInput) -> Void
    ) -> Bool {
        var inputs = model.trials
        inputs.steps = [Array(trials[trial].inputs.prefix(step + 1))]
        let before = model.with(inputs).unrolled()
        change(&inputs.steps[0][step])
        return !sameBits(model.with(inputs).unrolled()[0][step], before[0][step])
    }

    /// The first step of a trial without observations shows nothing that could be changed.
    private func canChange(_ step: Int) -> Bool { step > 0 || setting.family.observation.count > 0 }

    /// First steps of second or later episodes, one in each of some trials: (trial, step).
    private var boundaries: [(Int, Int)] {
        trials.indices.prefix(TrialContract.changedTrials).compactMap { trial in
            let steps = trials[trial].steps
            let places = steps.indices.dropFirst().filter { steps[$0 - 1].endsEpisode }
            return places.first { canChange($0 - 1) }.map { (trial, $0) }
        }
    }

    /// Steps to be changed: (trial, step).
    private var changedSteps: [(Int, Int)] {
        trials.indices.prefix(TrialContract.changedTrials).flatMap { trial in
            spread(trials[trial].steps.count).filter(canChange).map { (trial, $0) }
        }
    }

    /// Some of `count` steps, spread over them.
    private func spread(_ count: Int) -> [Int] {
        let chosen = min(count, TrialContract.changes)
        return (0..<chosen).map { $0 * count / chosen }
    }
}
