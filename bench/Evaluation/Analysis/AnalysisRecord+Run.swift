import Foundation
import Kernels
import Models
import Tasks
import Training

extension AnalysisRecord {
    /// Analyses a run from its latest checkpoint.
    ///
    /// - Parameters:
    ///   - subject: the cell of a plan; nil for a run made by hand.
    ///   - trials: members 0 ..< trials of `seed`, at least 2.
    /// - Throws: one line if the run or its checkpoint cannot be read.
    public init(_ run: RunDirectory, trials: Int, seed: Int, workers: Workers) throws {
        let configuration = try run.configuration()
        try configuration.validate()
        let task = "\(configuration.task) (\(configuration.taskOptions.summary))"
        try self.init(
            CellRecord.Subject(
                plan: "", cell: "", modelName: configuration.modelName, taskName: task,
                settingName: ""),
            run: run, configuration: configuration, trials: trials, seed: seed, workers: workers)
    }

    init(
        _ subject: CellRecord.Subject, run: RunDirectory, configuration: Configuration, trials: Int, seed: Int,
        workers: Workers
    ) throws {
        let agent = try LearnedAgent(run, configuration)
        let family = try configuration.makeFamily()
        self.init(
            subject,
            agent: LearnedAgent(name: subject.modelName, policy: agent.policy, weights: agent.weights),
            family: family, configuration: configuration.yaml(), trainingSeed: configuration.seed, trials: trials,
            seed: seed, workers: workers)
    }

    /// Analyses any policy on any family.
    /// - Parameters:
    ///   - configuration: what the record says of the training.
    ///   - trainingSeed: of the training; the untrained twin has its first values.
    init(
        _ subject: CellRecord.Subject, agent: LearnedAgent, family: any TaskFamily, configuration: String,
        trainingSeed: Int, trials: Int, seed: Int, workers: Workers
    ) {
        let untrained = Trainer.firstParameters(of: agent.policy, seed: trainingSeed)
        let (bandit, inside, episodes): (InsideBandit?, InsideTrial?, Curve)
        if let family = family as? BernoulliBandit {
            let own = Evaluation(agent, family: family, members: 0..<trials, seed: seed, workers: workers)
            bandit = InsideBandit(
                agent, untrained: untrained, own: own, family: family, trials: trials, seed: seed, workers: workers)
            inside = nil
            episodes = Curve(subject.modelName, own.episodeRewards, episodes: family.episodes)
        } else {
            let found = InsideTrial.look(
                at: agent, untrained: untrained, family: family, trials: trials, seed: seed, workers: workers)
            (bandit, inside, episodes) = (nil, found.inside, found.episodes)
        }
        self.init(
            version: AnalysisRecord.version, cell: subject.cell, modelName: subject.modelName,
            taskName: subject.taskName, settingName: subject.settingName, seed: trainingSeed,
            configuration: configuration, memberSeed: seed, trials: trials,
            episodes: episodes, bandit: bandit, inside: inside)
    }
}
