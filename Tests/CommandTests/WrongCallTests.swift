import Foundation
import Testing

/// Exit code 64, one line on standard error about the thing, nothing on standard output, nothing on the disk.
@Suite struct WrongCallTests {
    @Test(arguments: [
        (["train", "--model", "perceptron"], "perceptron"),
        (["train", "--model", ""], "model"),
        (["train", "--task", "chess"], "chess"),
        (["train", "--arms", "0"], "arms"),
        (["train", "--arms", "1"], "arms"),
        (["train", "--arms", "1001"], "arms"),
        (["train", "--arms=-3"], "arms"),
        (["train", "--arms", "five"], "five"),
        (["train", "--arms", "99999999999999999999"], "arms"),
        (["train", "--arms"], "arms"),
        (["train", "--episodes", "0"], "episodes"),
        (["train", "--episodes", "10001"], "episodes"),
        (["train", "--task", "mdp", "--arms", "3"], "--arms"),
        (["train", "--states", "5"], "--states"),
        (["train", "--task", "mdp", "--states", "1"], "states"),
        (["train", "--task", "mdp", "--actions", "65"], "actions"),
        (["train", "--task", "mdp", "--horizon", "0"], "horizon"),
        (["train", "--hidden", "0"], "hidden"),
        (["train", "--hidden=-1"], "hidden"),
        (["train", "--hidden", "9223372036854775807"], "hidden"),
        (["train", "--batch-steps", "0"], "batch-steps"),
        (["train", "--batch-steps", "1000000000000"], "batch-steps"),
        (["train", "--iterations", "0"], "iterations"),
        (["train", "--iterations=-5"], "iterations"),
        (["train", "--threads", "0"], "threads"),
        (["train", "--threads", "100000"], "threads"),
        (["train", "--seed=-1"], "seed"),
        (["train", "--discount", "1.5"], "discount"),
        (["train", "--discount", "nan"], "discount"),
        (["train", "--gae-lambda=-0.1"], "gae-lambda"),
        (["train", "--maximum-kl", "0"], "maximum-kl"),
        (["train", "--chrono-t-max=-1"], "chrono-t-max"),
        (["train", "--chrono-share", "1.5"], "chrono-share"),
        (["train", "--learner", "adam"], "adam"),
        (["train", "--learner", "ppo", "--epochs", "0"], "--epochs"),
        (["train", "--learner", "trpo", "--clip-range", "0.1"], "--clip-range"),
        (["train", "--damping", "1", "--learner", "ppo"], "trpo"),
        (["train", "--model", "transformer", "--chrono-share", "0.5"], "gru"),
        (["train", "--memory-horizon", "1"], "--memory-horizon"),
        (["train", "--slow-units", "0.5"], "--slow-units"),
        (["train", "--policy-optimizer", "ppo"], "--policy-optimizer"),
        (["train", "--set", "hidden"], "--set NAME=VALUE"),
        (["train", "--set", "nonsense=3"], "--nonsense"),
        (["train", "--config"], "--config"),
        (["train", "--resume", "somewhere", "--dry-run"], "--dry-run"),
        (["train", "--input-gain", "0"], "input-gain"),
        (["train", "--task", "mdp", "--reachable-states", "11"], "reachable-states"),
        (["train", "--maximum-kl", "inf"], "maximum-kl"),
        (["train", "--damping=-1"], "damping"),
        (["train", "--fisher-share", "0"], "fisher-share"),
        (["train", "--conjugate-gradient-iterations", "0"], "conjugate-gradient-iterations"),
        (["train", "--critic-epochs", "101"], "critic-epochs"),
        (["train", "--critic-minibatches", "0"], "critic-minibatches"),
        (["train", "--critic-learning-rate", "0"], "critic-learning-rate"),
        (["train", "--critic-lambda", "2"], "critic-lambda"),
        (["train", "--checkpoint-every", "0"], "checkpoint-every"),
        (["train", "--resume", "somewhere", "--hidden", "8"], "--hidden"),
        (["train", "--resume", "somewhere", "--overwrite"], "--overwrite"),
        (["train", "--resume", "somewhere", "--config", "x.yaml"], "--config"),
        (["train", "--resume", "somewhere", "--run", "elsewhere"], "--run"),
        (["train", "--nonsense"], "--nonsense"),
        (["train", "left-over"], "left-over"),
        (["teach"], "teach"),
        (["train", "--timesteps", "0"], "timesteps"),
        (["train", "--timesteps", "many"], "many"),
        (["train", "--timesteps", "1000", "--iterations", "5"], "--timesteps cannot go with --iterations"),
        (["evaluate"], "directory"),
        (["evaluate", "somewhere", "--trials", "1"], "trials"),
        (["evaluate", "somewhere", "--trials=-1"], "trials"),
        (["evaluate", "somewhere", "--deterministic", "bold"], "bold"),
        (["evaluate", "somewhere", "--seed=-1"], "seed"),
        (["evaluate", "somewhere", "--threads", "0"], "threads"),
        (["bench", "throughput", "--repeats", "0"], "repeats"),
        (["bench", "throughput", "--model", "perceptron"], "perceptron"),
        (["bench", "throughput", "--arms", "0"], "arms"),
        (["bench", "jump"], "jump"),
        (["info", "--threads", "0"], "threads"),
        (["info", "--hidden", "8"], "--model"),
        (["info", "--model", "perceptron"], "perceptron"),
        (["train", "--match", "looks"], "looks"),
        (["train", "--match", "params", "--hidden", "8"], "--hidden"),
        (["train", "--match-to", "gru-8"], "--match"),
        (["train", "--match", "params", "--match-to", "gru"], "gru-256"),
        (["train", "--match", "params", "--match-to", "perceptron-8"], "perceptron-8"),
        (["train", "--match", "params", "--match-to", "gru-0"], "hidden"),
        (["train", "--match", "state", "--match-to", "gru-1"], "state"),
        (["train", "--resume", "somewhere", "--match", "params"], "--match"),
        (["bench", "throughput", "--match", "flops", "--match-to", "gru-99999"], "hidden"),
        (["check", "--model", "perceptron"], "perceptron"),
        (["check", "--task", "chess"], "chess"),
        (["check", "--arms", "3"], "--arms"),
        (["train", "--task", "maze", "--maze-size", "4"], "--maze-size"),
        (["train", "--task", "maze", "--maze-size", "1"], "--maze-size"),
        (["train", "--task", "maze", "--maze-size", "3", "--hold-out", "draws"], "there are 48 mazes"),
        (["train", "--task", "maze", "--training-mazes", "20000"], "mazes to train on"),
        (["train", "--task", "maze", "--loops", "1"], "--hold-out draws"),
        (["train", "--task", "maze", "--field-of-view", "0"], "--field-of-view"),
        (["train", "--task", "maze", "--field-of-view", "180"], "--field-of-view"),
        (["train", "--task", "maze", "--turn-degrees", "7"], "--turn-degrees"),
        (["train", "--task", "maze", "--frame-width", "12"], "--frame-width"),
        (["train", "--task", "maze", "--arms", "3"], "--arms"),
        (["train", "--maze-size", "5"], "--maze-size"),
        (["check", "--task", "maze", "--maze-size", "6"], "--maze-size"),
        (["frames"], "--out"),
        (["frames", "--out", "x", "--scale", "0"], "--scale"),
        (["frames", "--out", "x", "--seed=-1"], "--seed"),
        (["frames", "--out", "x", "--agent", "cat"], "cat"),
        (["frames", "--out", "x", "--maze-size", "2"], "--maze-size"),
        (["frames", "--out", "x", "--field-of-view", "180"], "--field-of-view"),
        (["frames", "run", "--out", "x", "--agent", "oracle"], "--agent"),
        (["check", "--model", "gru", "--seed", "3"], "--seed"),
        (["check", "--task", "bandit", "--arms", "1"], "arms"),
    ]) func isRefusedInOneLine(_ arguments: [String], _ word: String) throws {
        try withTemporaryDirectory { directory in
            let result = try Command.run(arguments, in: directory)
            #expect(result.code == 64)
            #expect(result.errorLines.count == 1, "\(result.errors)")
            #expect(result.errors.contains(word), "\(result.errors)")
            #expect(result.errors.hasPrefix("rl2x: ") && result.errors.hasSuffix("\n"))
            #expect(result.output.isEmpty)
            #expect(snapshot(directory).isEmpty)
        }
    }

    @Test(arguments: [["--help"], ["train", "--help"], ["bench", "throughput", "--help"], ["--version"]])
    func helpIsNoError(_ arguments: [String]) throws {
        try withTemporaryDirectory { directory in
            let result = try Command.run(arguments, in: directory)
            #expect(result.code == 0)
            #expect(!result.output.isEmpty && result.errors.isEmpty)
        }
    }
}
