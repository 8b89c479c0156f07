import Kernels

/// How the success probabilities of a bandit's arms are drawn.
public enum BanditPrior: Sendable, Equatable {
    /// Each by itself from Beta(a, a), a > 0: mean 1/2, and the larger a the nearer to it. a = 1: uniform on (0, 1).
    case beta(shape: Double)
    /// Two arms, p₁ ~ U(0, 1) and p₂ = 1 − p₁: each pull tells as much of one as of the other.
    case dependent

    /// That of the paper.
    public static let uniform = BanditPrior.beta(shape: 1)

    /// The priors that can be asked for by name.
    static let words: [(word: String, prior: BanditPrior)] = [
        ("uniform", .uniform), ("beta22", .beta(shape: 2)), ("dependent", .dependent),
    ]

    /// - Parameter word: one of `words`.
    init(named word: String) { self = BanditPrior.words.first { $0.word == word }!.prior }

    /// Why a bandit of so many arms cannot have this prior, in words that name the options; nil if it can.
    func objection(arms: Int) -> String? {
        guard self == .dependent, arms != 2 else { return nil }
        return "--prior dependent is of two arms, p and 1 − p, and --arms is \(arms): use --arms 2, or another --prior"
    }

    /// Success probabilities of a member [arms].
    func sample(arms: Int, _ random: inout RandomSource) -> [Float] {
        switch self {
        case .uniform: return (0..<arms).map { _ in random.uniform() }
        case .beta(let shape): return (0..<arms).map { _ in Float(random.beta(shape, shape)) }
        case .dependent:
            let probability = random.uniform()
            return [probability, 1 - probability]
        }
    }
}
