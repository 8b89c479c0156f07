import Autodiff
import Conformance
import Foundation
import Interface
import Kernels
import Models
import Tasks
import Training

/// An outer loop in its plainest form, a trial after the other, with a fault for the kit to find.
struct FaultyLoop: OuterLoop {
    enum Fault: Sendable, CaseIterable {
        case none
        case beginsWithAnAction
        case dropsLastReward
        case dropsFlag
        /// A new episode begins with the observation that ended the last one.
        case showsLastObservation
        case resetsMemoryAtEpisodeEnds
        case keepsMemoryBetweenTrials
        case cutsAdvantagesAtEpisodeEnds
        case cutsReturnsAtEpisodeEnds
        /// The advantage of a trial's last step counts a value that lies beyond it.
        case bootstrapsBeyondTheTrial
        /// The critic reads each episode by itself.
        case valuesEpisodesAlone
        /// The policy is given another trial's numbers before it acts.
        case mixesTrials
        case countsPadding
        case stopsBeforeTheLastEpisode
    }

    let fault: Fault

    func judge(_ setting: TrialSetting) -> JudgedTrials {
        let (first, second) = play(setting)
        var trials = second
        let steps = trials.map(\.count).max()!
        let means = returnMeans(setting, trials, steps)
        let values = critic(setting, trials)
        for index in trials.indices { judge(&trials[index], zip(means, values[index]).map(+), setting) }

        let logits = model(setting.policy, setting.policyParameters, setting, trials).unrolled().joined()
        let entropy = logits.reduce(0.0) { sum, logits in
            sum + Categorical.entropySum(rows: 1, outcomes: logits.count, logProbabilities: logProbabilities(logits))
        }
        let count = trials.reduce(0) { $0 + $1.count }
        let rows = fault == .countsPadding ? steps * trials.count : count
        let advantages = trials.joined().map { Double($0.advantage) }
        let mean = advantages.reduce(0, +) / Double(rows)
        let variance = advantages.reduce(0) { $0 + $1 * $1 } / Double(rows) - mean * mean
        return JudgedTrials(
            shards: trials.enumerated().map { number, steps in
                let standardized = steps.map { Float((Double($0.advantage) - mean) / variance.squareRoot()) }
                return [JudgedTrials.Trial(number: number, steps: steps, standardized: standardized)]
            }, rows: rows, entropy: entropy / Double(rows), returnMeans: means,
            returnDeviations: [Float](repeating: 1, count: steps), repeats: first == second)
    }

    // MARK: Playing

    /// All trials, twice.
    private func play(_ setting: TrialSetting) -> ([[TrialStep]], [[TrialStep]]) {
        func play<Family: TaskFamily, Policy: SequencePolicy>(
            _ family: Family, _ policy: Policy
        ) -> ([[TrialStep]], [[TrialStep]]) {
            let memory = policy.makeMemory(lanes: 1, steps: family.maximumTrialSteps)
            func all() -> [[TrialStep]] {
                (0..<setting.trials).map { trial in
                    if fault != .keepsMemoryBetweenTrials { memory.restart(lanes: 1) }
                    return self.trial(family, policy, memory, number: trial, setting)
                }
            }
            return (all(), all())
        }
        return play(setting.family, setting.policy)
    }

    private func trial<Family: TaskFamily, Policy: SequencePolicy>(
        _ family: Family, _ policy: Policy, _ memory: Policy.Memory, number: Int, _ setting: TrialSetting
    ) -> [TrialStep] {
        var streams = TrialStreams(setting.root.split(number))
        // Rows 0 and 1: what is shown, and what was shown last.
        let width = family.observation.count
        let shown = Matrix(rows: 2, columns: width)
        let image = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
        defer { image.deallocate() }
        let writer = ObservationWriter(vector: shown.pointer, image: image)
        var member = family.sample(&streams.member)
        member.reset(observation: writer, random: &streams.environment)
        var steps: [TrialStep] = []
        var input = StepInput(
            vector: [], image: [], previousAction: fault == .beginsWithAnAction ? 0 : -1, previousReward: 0,
            episodeEnd: 0, stepIndex: 0)
        var episodesLeft = fault == .stopsBeforeTheLastEpisode ? family.episodes - 1 : family.episodes
        while episodesLeft > 0 {
            input.vector = (0..<width).map { shown[0, $0] }
            if fault == .resetsMemoryAtEpisodeEnds, input.episodeEnd == 1 { memory.reset(lane: 0) }
            var given = input
            if fault == .mixesTrials { given.previousReward += Float(number) }
            let logProbabilities = act(policy, given, memory, setting)
            let action = Categorical.sample(
                logProbabilities, outcomes: logProbabilities.count, uniform: streams.actions.uniform())
            let transition = member.step(action: action, observation: writer, random: &streams.environment)
            steps.append(
                TrialStep(
                    input: input, action: Int32(action), reward: transition.reward,
                    endsEpisode: transition.endsEpisode))
            input.previousAction = Int32(action)
            input.previousReward = transition.reward
            input.episodeEnd = transition.endsEpisode ? 1 : 0
            input.stepIndex += 1
            guard transition.endsEpisode else { continue }
            if fault == .dropsLastReward { input.previousReward = 0 }
            if fault == .dropsFlag { input.episodeEnd = 0 }
            episodesLeft -= 1
            shown.move(row: 0, to: 1)
            if episodesLeft > 0 { member.reset(observation: writer, random: &streams.environment) }
            if fault == .showsLastObservation { shown.move(row: 1, to: 0) }
        }
        return steps
    }

    private func act<Policy: SequencePolicy>(
        _ policy: Policy, _ input: StepInput, _ memory: Policy.Memory, _ setting: TrialSetting
    ) -> [Float] {
        let (tape, rows) = (Tape(), OwnedInputs([input], space: setting.family.observation))
        return setting.policyParameters.withUnsafeBufferPointer { theta in
            tape.begin(parameters: theta.baseAddress!, recording: false)
            let output = policy.step(rows.inputs, memory: memory, tape: tape)
            return logProbabilities(Array(UnsafeBufferPointer(start: tape.value(output), count: output.count)))
        }
    }

    private func logProbabilities(_ logits: [Float]) -> [Float] {
        var result = logits
        Categorical.logProbabilities(rows: 1, outcomes: logits.count, logits: logits, into: &result)
        return result
    }

    // MARK: Judging

    private func model(
        _ model: any SequencePolicy, _ parameters: [Float], _ setting: TrialSetting, _ trials: [[TrialStep]]
    ) -> ModelUnderTest {
        ModelUnderTest(
            model, parameters: parameters,
            trials: TrialInputs(
                steps: trials.map { $0.map(\.input) }, observation: setting.family.observation,
                actions: setting.family.actions))
    }

    /// The critic's outputs by trial and step.
    private func critic(_ setting: TrialSetting, _ trials: [[TrialStep]]) -> [[Float]] {
        let critic = model(setting.critic, setting.criticParameters, setting, trials)
        let outputs = critic.stepped(resetting: fault == .valuesEpisodesAlone ? .episodeEnds : .never)
        return outputs.map { $0.map { $0[0] } }
    }

    private func returnMeans(_ setting: TrialSetting, _ trials: [[TrialStep]], _ steps: Int) -> [Float] {
        var (sums, counts) = ([Float](repeating: 0, count: steps), [Float](repeating: 0, count: steps))
        for trial in trials {
            var total: Float = 0
            for (index, step) in trial.enumerated().reversed() {
                if fault == .cutsReturnsAtEpisodeEnds, step.endsEpisode { total = 0 }
                total = step.reward + setting.discount * total
                sums[index] += total
                counts[index] += 1
            }
        }
        return zip(sums, counts).map { $0 / $1 }
    }

    /// Fills in values, advantages and targets.
    private func judge(_ trial: inout [TrialStep], _ values: [Float], _ setting: TrialSetting) {
        for index in trial.indices { trial[index].value = values[index] }
        for lambda in [setting.targetLambda, setting.lambda] {
            var (next, carried): (Float, Float) = (fault == .bootstrapsBeyondTheTrial ? 1 : 0, 0)
            for index in trial.indices.reversed() {
                let isCut = fault == .cutsAdvantagesAtEpisodeEnds && trial[index].endsEpisode
                let discount = isCut ? 0 : setting.discount
                carried = trial[index].reward + discount * next - trial[index].value + discount * lambda * carried
                next = trial[index].value
                trial[index].advantage = carried
                if lambda == setting.targetLambda { trial[index].target = carried + next }
            }
        }
    }
}
