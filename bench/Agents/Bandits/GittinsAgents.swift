import Foundation
import Interface
import Kernels
import Tasks

/// Pulls the arm of the highest discounted Gittins index: optimal for an endless discounted trial, and here a rule whose
/// discount β stands for the length of the trial.
public struct GittinsAgent: ClassicAgent {
    /// How the index is found.
    public enum Rule: String, Sendable, CaseIterable {
        case whittle
        case brezziLai = "brezzi-lai"
        /// By dynamic programming, to about 10⁻⁵.
        case exact
    }

    public let rule: Rule
    /// β in (0, 1)
    public let discount: Double
    public let ties: TieRule

    public init(rule: Rule = .whittle, discount: Double = 0.99, ties: TieRule = .first) {
        self.rule = rule
        self.discount = discount
        self.ties = ties
    }

    /// One value for each option of the catalogue's entry.
    init(_ values: Values) {
        self.init(rule: values.choice("rule"), discount: values.real("discount"), ties: TieRule(values))
    }

    /// Pulls that the exact index may look ahead: its work grows with their square, and these take a minute or so.
    static let longestHorizon = 30_000

    /// Why a family cannot be played: one line, or nil if it can.
    public func objection(_ family: any TaskFamily) -> String? {
        guard rule == .exact else { return nil }
        let horizon = GittinsTable.horizon(discount: discount, depths: family.episodes + 1)
        guard horizon > GittinsAgent.longestHorizon else { return nil }
        return "the exact Gittins index of \(family.episodes) pulls with discount \(decimal(discount)) looks "
            + "\(Display.grouped(horizon)) pulls ahead, over the limit of \(Display.grouped(GittinsAgent.longestHorizon)): "
            + "lower the discount, such as to 0.999, or take rule=whittle"
    }

    public var name: String { "Gittins" }
    public var parameters: String {
        let form =
            switch rule {
            case .whittle: "Whittle"
            case .brezziLai: "Brezzi–Lai"
            case .exact: "exact"
            }
        return "\(form), β = \(discount)" + (ties == .first ? "" : ", random ties")
    }

    public func makePlayer(for family: any TaskFamily) -> TrialPlayer {
        let index: Index
        switch rule {
        case .whittle: index = .whittle(c: -log(discount))
        case .brezziLai: index = .brezziLai(c: -log(discount))
        case .exact:
            let (discount, depths) = (discount, family.episodes + 1)
            index = .table(
                Self.tables.value(for: TableKey(discount: discount, depths: depths)) {
                    GittinsTable.endless(discount: discount, depths: depths)
                })
        }
        return TrialPlayer(player: IndexPlayer(index, arms: family.actions, ties: ties))
    }

    public struct TrialPlayer: Player {
        var player: IndexPlayer<Index>

        public mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
            player.act(input, random: &random)
        }
    }

    enum Index: ArmIndex {
        case whittle(c: Double)
        case brezziLai(c: Double)
        case table(GittinsTable)

        func value(p: Double, q: Double) -> Double {
            switch self {
            case .whittle(let c): GittinsApproximation.whittle(p: p, q: q, c: c)
            case .brezziLai(let c): GittinsApproximation.brezziLai(p: p, q: q, c: c)
            case .table(let table): table.index(pulls: Int(p + q) - 2, successes: Int(p) - 1)
            }
        }
    }

    private struct TableKey: Hashable {
        let discount: Double
        let depths: Int
    }

    private static let tables = Memo<TableKey, GittinsTable>()
}

/// Pulls the arm of the highest finite-horizon Gittins index: exact for one unknown arm beside known ones, and the
/// strongest of the index rules for trials that end.
public struct FiniteHorizonGittinsAgent: ClassicAgent {
    public let ties: TieRule

    public init(ties: TieRule = .first) { self.ties = ties }

    public var name: String { "Gittins, finite horizon" }
    public var parameters: String { ties == .first ? "" : "random ties" }

    /// Why the index cannot be had for a family: one line, or nil if it can.
    public static func objection(_ family: any TaskFamily) -> String? {
        let entries = FiniteHorizonGittins.entries(pulls: family.episodes)
        guard entries > FiniteHorizonGittins.mostEntries else { return nil }
        let most = (1...).first { FiniteHorizonGittins.entries(pulls: $0 + 1) > FiniteHorizonGittins.mostEntries }!
        return "the finite-horizon Gittins index of \(family.episodes) pulls has "
            + "\(Display.significant(entries, 3)) states (\(Display.significant(entries * 4e-9, 3)) GB)"
            + ", over the limit of \(Int(FiniteHorizonGittins.mostEntries)): take at most \(most) pulls"
    }

    public func makePlayer(for family: any TaskFamily) -> TrialPlayer {
        TrialPlayer(table: Self.table(pulls: family.episodes), ties: ties, arms: family.actions)
    }

    /// The indices of a trial, kept for the next caller.
    ///
    /// - Precondition: there is no objection.
    static func table(pulls: Int) -> FiniteHorizonGittins {
        tables.value(for: pulls) { FiniteHorizonGittins(pulls: pulls) }
    }

    public struct TrialPlayer: Player {
        private let table: FiniteHorizonGittins
        private let ties: TieRule
        private var counts: ArmCounts
        private var values: [Double]

        init(table: FiniteHorizonGittins, ties: TieRule, arms: Int) {
            self.table = table
            self.ties = ties
            counts = ArmCounts(arms: arms)
            values = [Double](repeating: 0, count: arms)
        }

        public mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
            _ = counts.observe(input)
            let left = table.pulls - input.stepIndex
            for arm in values.indices {
                let (p, q) = (counts.p[arm], counts.q[arm])
                values[arm] = table.index(pulls: Int(p + q) - 2, successes: Int(p) - 1, left: left)
            }
            return ties.argmax(values, &random)
        }
    }

    private static let tables = Memo<Int, FiniteHorizonGittins>()
}
