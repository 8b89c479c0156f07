import Interface
import Tasks
import Training

/// What to say to words that are meant well but are not rl2x's: a subcommand with a slip of the finger, and options as other
/// programs call them.
extension CalledCommand {
    /// Throws a `CallError` about the first such word.
    func refuseUnknownWords() throws {
        try refuseUnknownSubcommand()
        guard let taking, taking.scope.contains(.learner) else { return }
        for word in words.dropFirst(depth) where word.hasPrefix("--") {
            let name = String(word.dropFirst(2).prefix { $0 != "=" })
            guard let hint = CalledCommand.hints[name] else { continue }
            throw CallError(description: "--\(name): there is no such option; \(hint)")
        }
    }

    private func refuseUnknownSubcommand() throws {
        let names = command.configuration.subcommands.map { $0.word }
        let path = words.first == "help" ? words.dropFirst() : words[...]
        guard let word = path.dropFirst(depth).first, !word.hasPrefix("-"), word != "help", !names.isEmpty else {
            return
        }
        let called = (["rl2x"] + path.prefix(depth)).joined(separator: " ")
        let problem = "'\(word)' is no subcommand of \(called)"
        // Letters that changed places are one slip.
        let nearest =
            names.map { (name: $0, slips: $0.sorted() == word.sorted() ? 1 : Zoo.distance(word, $0)) }
            .min { $0.slips < $1.slips }
        if let nearest, nearest.slips <= max(1, word.count / 3) {
            throw CallError(description: "\(problem); did you mean '\(nearest.name)'? See \(called) --help")
        }
        // It may be an argument of the subcommand that is meant where none is named.
        guard command.configuration.defaultSubcommand == nil else { return }
        throw CallError(description: "\(problem): choose one of \(names.joined(separator: ", "))")
    }

    /// By the names of Stable-Baselines3, CleanRL and Gymnasium.
    static let hints: [String: String] = {
        let rate =
            "--learning-rate is the policy's under ppo and a2c, --critic-learning-rate the critic's, and --maximum-kl "
            + "bounds the steps of trpo"
        let steps = "--timesteps says after how many time steps to stop"
        let lanes = "--batch-steps sets the time steps of an iteration; trials run in parallel by themselves"
        let task = "--task names what is trained on: \(taskCatalogue.names.joined(separator: ", "))"
        let machine = "training runs on the CPU; --threads sets the worker threads"
        return [
            "lr": rate, "total-timesteps": steps, "n-timesteps": steps, "num-timesteps": steps, "total-steps": steps,
            "num-envs": lanes, "n-envs": lanes, "num-steps": lanes, "n-steps": lanes, "batch-size": lanes,
            "gamma": "--discount is γ inside a trial", "env-id": task, "env": task,
            "algo": "--learner names the outer loop: \(learnerCatalogue.names.joined(separator: ", "))",
            "ent-coef": "--entropy-bonus is the entropy's weight",
            "vf-coef": "--value-weight is the value loss's weight",
            "target-kl": "--maximum-kl is the trust region", "clip-coef": "--clip-range is ppo's",
            "update-epochs": "--epochs is ppo's", "n-epochs": "--epochs is ppo's",
            "num-minibatches": "--minibatches is ppo's and a2c's", "hidden-size": "--hidden is the width",
            "tensorboard-log": "every run writes TensorBoard's events into its directory, which --run names",
            "cuda": machine, "device": machine,
        ]
    }()
}
