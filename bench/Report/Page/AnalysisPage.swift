import Foundation
import Interface

/// An analysis as a page of Markdown: a pure function of its record.
public struct AnalysisPage {
    private let record: AnalysisRecord

    public init(_ record: AnalysisRecord) { self.record = record }

    public var markdown: String {
        let title = "# Inside a trial: \(record.modelName) on \(record.taskName)"
        let introduction = """
            \(record.trials) held-out members of seed \(record.memberSeed), a trial each; actions are drawn from the policy, its \
            weights are frozen (training seed \(record.seed)). Numbers after ± are standard errors over trials.
            """
        let parts =
            [title, introduction, episodes] + (record.bandit.map(sections) ?? [])
            + (record.inside.map { InsideTrialPage($0, of: record).sections } ?? [])
        return parts.filter { !$0.isEmpty }.map { $0.hasSuffix("\n") ? $0 : $0 + "\n" }.joined(separator: "\n")
    }

    // MARK: Sections

    private var episodes: String {
        let shown = shownPulls
        var table = TextTable(
            columns: [.init(record.bandit == nil ? "episode" : "pull", alignment: .left)]
                + shown.map { .init("\($0 + 1)") })
        table.append(["mean reward"] + shown.map { Display.fixed(record.episodes.mean[$0]) })
        table.append(["±"] + shown.map { Display.fixed(record.episodes.standardError[$0]) })
        return section("Reward by episode", "", table)
    }

    private func sections(_ bandit: InsideBandit) -> [String] {
        [
            regret(bandit), agreement(bandit), probes(bandit), renaming(bandit), flips(bandit),
            AnalysisPage.leftOut(bandit.leftOut),
        ]
    }

    private func regret(_ bandit: InsideBandit) -> String {
        let shown = shownPulls
        var table = TextTable(
            columns: [.init("player", alignment: .left)] + shown.map { .init("after \($0 + 1)") }
                + [.init("\(record.modelName) − it")])
        for (index, curve) in bandit.regret.enumerated() {
            let difference = index == 0 ? nil : bandit.differences[index - 1].difference
            table.append(
                [curve.name]
                    + shown.map { "\(Display.fixed(curve.mean[$0])) ± \(Display.fixed(curve.standardError[$0]))" }
                    + [difference.map { "\(Display.signed($0.mean)) ± \(Display.fixed($0.standardError))" } ?? ""])
        }
        return section(
            "Regret",
            """
            Reward lost so far to who knows every arm's probability and meets the same chance. All play the same members; \
            the last column is the difference of total rewards, trial by trial.
            """, table)
    }

    private func agreement(_ bandit: InsideBandit) -> String {
        var rules = TextTable(columns: [
            .init("rule", alignment: .left), .init("most probable arm"), .init("probability"), .init("chance"),
        ])
        for agreement in bandit.agreement {
            rules.append(
                [agreement.rule]
                    + [agreement.mode, agreement.probability, agreement.chance].map {
                        Display.percent(agreement.mean($0))
                    })
        }
        guard let reference = bandit.agreement.first else { return "" }
        let shown = shownPulls
        var pulls = TextTable(
            columns: [.init("pull", alignment: .left)] + shown.map { .init("\($0 + 1)") })
        for (name, shares) in [
            ("most probable arm", reference.mode), ("probability", reference.probability), ("chance", reference.chance),
        ] { pulls.append([name] + shown.map { Display.percent(shares[$0]) }) }
        var contests = TextTable(columns: [
            .init("rule", alignment: .left), .init("histories"), .init("with \(reference.rule)"),
            .init("with the rule"),
        ])
        for contest in bandit.contests {
            contests.append(
                [contest.rule, Display.percent(contest.share)]
                    + [contest.withReference, contest.withRule].map { $0.map { Display.percent($0) } ?? "–" })
        }
        return section(
            "Which rule does it follow?",
            """
            At each history that the policy comes to: is its most probable arm one that the rule would pull (any of equals \
            counts), with what probability does it pull one of those, and how often would a uniformly random arm be one.
            """, rules) + "\nBy pull, against \(reference.rule):\n\n" + pulls.markdown()
            + "\nWhere a rule and \(reference.rule) allow no arm in common, whose is the most probable arm?\n\n"
            + contests.markdown()
    }

    private func probes(_ bandit: InsideBandit) -> String {
        guard !bandit.probes.isEmpty else { return "" }
        let shown = shownPulls
        var table = TextTable(
            columns: [.init("quantity", alignment: .left), .init("network", alignment: .left), .init("all pulls")]
                + shown.map { .init("pull \($0 + 1)") })
        for probe in bandit.probes {
            for (name, all, byPull) in [
                ("trained", probe.explained, probe.byPull), ("untrained", probe.untrained, probe.untrainedByPull),
            ] {
                table.append(
                    [probe.quantity.replacingOccurrences(of: "_", with: " "), name, Display.fixed(all)]
                        + shown.map { byPull[$0].map { $0 < 0 ? "< 0" : Display.fixed($0) } ?? "–" })
            }
        }
        return section(
            "What can be read from its state",
            """
            R² of a linear read-out (ridge, one for all pulls) from the \(bandit.stateWidth) numbers of its state to the \
            posterior mean and the pull count of every arm, fitted to half of the trials and tested on the others; arms are \
            weighted by their variance. Below 0 it is worse than the mean of that pull. The untrained network has the same \
            architecture and the first values of the run's seed, and is shown the same trials.
            """, table)
    }

    private func renaming(_ bandit: InsideBandit) -> String {
        let shown = shownPulls
        var table = TextTable(columns: [.init("pull", alignment: .left)] + shown.map { .init("\($0 + 1)") })
        table.append(["total variation"] + shown.map { Display.fixed(bandit.renaming.mean[$0]) })
        return section(
            "Do the arms' names matter?",
            """
            Arms are renamed by a random permutation, drawn for each trial, and the renamed trial is shown: distance between \
            what the policy then does and what it did, under the new names. 0: names play no part; 1: it never does the same.
            """, table)
    }

    private func flips(_ bandit: InsideBandit) -> String {
        guard !bandit.flips.isEmpty else { return "" }
        let rule = bandit.agreement[0].rule
        var table = TextTable(
            columns: [.init("flipped pull"), .init("seen at pull")]
                + ["network", rule, "Thompson"].map { .init("\($0): change") }
                + ["network", rule, "Thompson"].map { .init("\($0): distance") })
        for flip in bandit.flips {
            table.append(
                ["\(flip.pull + 1)", "\(flip.pull + flip.lag + 1)"]
                    + [flip.effect, flip.ruleEffect, flip.thompsonEffect].map {
                        "\(Display.signed($0.mean)) ± \(Display.fixed($0.standardError))"
                    }
                    + [flip.totalVariation, flip.ruleTotalVariation, flip.thompsonTotalVariation].map {
                        "\(Display.fixed($0.mean)) ± \(Display.fixed($0.standardError))"
                    })
        }
        return section(
            "What does one reward change?",
            """
            One reward of a trial is turned over and all else kept. Change: of the probability of that pull's arm, had it paid \
            1 and not 0. Distance: total variation between the two distributions. Beside it, at the same histories and \
            exactly, \(rule) (which draws among equals) and Thompson sampling.
            """, table)
    }

    // MARK: Pieces

    private func section(_ title: String, _ text: String, _ table: TextTable) -> String {
        AnalysisPage.section(title, text, table)
    }

    static func section(_ title: String, _ text: String, _ table: TextTable) -> String {
        "## \(title)\n\n" + (text.isEmpty ? "" : text + "\n\n") + table.markdown()
    }

    static func leftOut(_ lines: [String]) -> String {
        lines.isEmpty ? "" : "Left out:\n\n" + lines.map { "* \($0)\n" }.joined()
    }

    /// Episodes that tables show, from 0: all of a few, else ever fewer.
    private var shownPulls: [Int] { AnalysisPage.shown(of: record.episodes.mean.count) }

    static func shown(of count: Int) -> [Int] { NumberRanges.ends(upTo: count).map { $0 - 1 } }
}
