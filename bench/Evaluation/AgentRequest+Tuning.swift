import Tasks
import Training

extension AgentRequest {
    /// The agent whose setting earns most on `members`; the first of equals. These should be others than those of a report:
    /// the best of many settings on one sample looks better than it is.
    public func tuned(
        for family: any TaskFamily, members: Range<Int>, seed: Int, workers: Workers
    ) -> any Agent {
        let settings = settings
        guard settings.count > 1 else { return entry.makeAgent(settings[0]) }
        var (best, most) = (entry.makeAgent(settings[0]), -Double.infinity)
        for setting in settings {
            let agent = entry.makeAgent(setting)
            let mean = Evaluation(agent, family: family, members: members, seed: seed, workers: workers)
                .totalRewards.mean
            if mean > most { (best, most) = (agent, mean) }
        }
        return best
    }
}
