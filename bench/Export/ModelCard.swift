import Foundation
import Interface
import Training

/// README.md of a published policy: a page for people, under a header in YAML that model hubs read.
struct ModelCard {
    private let record: PolicyRecord
    private let licence: String?

    init(_ record: PolicyRecord, licence: String?) { (self.record, self.licence) = (record, licence) }

    var markdown: String { header + "\n" + body }

    private var score: String {
        "\(Display.fixed(record.meanReturn, 3)) ± \(Display.fixed(record.standardError, 3))"
    }

    private var header: String {
        let options = record.taskOptions.summary
        var lines = ["---", "library_name: rl2x", "pipeline_tag: reinforcement-learning"]
        if let licence { lines.append("license: \(text(licence))") }
        lines += ["tags:"]
        lines += ["reinforcement-learning", "meta-reinforcement-learning", "rl2", record.task, record.model].map {
            "- \(text($0))"
        }
        lines += [
            "model-index:", "- name: \(text(record.name))", "  results:", "  - task:",
            "      type: reinforcement-learning", "      name: reinforcement-learning", "    dataset:",
            "      name: \(text("\(record.task) (\(options))"))", "      type: \(text("rl2x-" + record.task))",
            "    metrics:", "    - type: mean_reward",
            "      value: \(text(score.replacingOccurrences(of: "±", with: "+/-")))", "      name: mean_reward",
            "      verified: false", "---",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    /// A scalar of YAML that no reader takes for a number or anything else.
    private func text(_ value: String) -> String {
        "\"" + value.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : $0.isNewline ? " " : "\($0)" }.joined() + "\""
    }

    private var body: String {
        var table = TextTable(columns: [.init("player", alignment: .left), .init("return"), .init("± se")])
        if let random = record.random { table.append(["random", Display.fixed(random, 3), ""]) }
        if let classic = record.classic {
            table.append([
                "best classic agent: \(classic.name)", Display.fixed(classic.meanReturn, 3),
                Display.fixed(classic.standardError, 3),
            ])
        }
        table.append([
            "**\(record.modelName)**", Display.fixed(record.meanReturn, 3), Display.fixed(record.standardError, 3),
        ])
        if let optimum = record.optimum { table.append(["Bayes-optimal, exact", Display.fixed(optimum, 3), ""]) }
        if let oracle = record.oracle { table.append(["knows the member", Display.fixed(oracle, 3), ""]) }
        return """
            # \(record.name)

            \(record.modelName), trained by RL² ([Duan et al. 2016](https://arxiv.org/abs/1611.02779)) on the
            task `\(record.task)` (\(record.taskOptions.summary)). Its weights are frozen; what it learns of a member,
            it learns in its activations.

            Mean total reward of a trial over \(record.members) held-out members, sampled actions:

            \(table.markdown())\(goal)
            ## Use

            ```sh
            rl2x evaluate \(place) --trials \(record.members)\(record.evaluationSeed == 0 ? "" : " --seed \(record.evaluationSeed)")
            rl2x demo --agents \(place)
            ```

            `\(place)` names it if the folder lies in the zoo of rl2x (`bench/zoo/`, or the directory that `RL2X_ZOO`
            names); elsewhere give the folder's path. \(pyTorch)

            ## Weights

            `model.safetensors`: \(Display.grouped(record.parameters)) parameters of the policy in \(precision), \
            \(Display.grouped(record.bytes)) bytes.
            SHA-256 `\(record.sha256)`;
            rl2x refuses a file with another digest. \(half)

            ## Training

            \(training)
            """ + "\n"
    }

    private var place: String { Zoo.prefix + record.name }

    private var precision: String { record.weights == "F16" ? "half precision (float16)" : "float32" }

    private var half: String {
        guard let half = record.halfPrecision else { return "" }
        let difference =
            "\(Display.signed(half.difference, 4)) (95 % interval \(Display.signed(half.lowerBound, 4)) to "
            + "\(Display.signed(half.upperBound, 4)))"
        return record.weights == "F16"
            ? "Against the float32 weights of the training the return on the same members differs by \(difference)."
            : "In float16 the return on the same members would differ by \(difference), so they are kept in float32."
    }

    private var goal: String {
        guard let goal = record.goal else { return "" }
        var table = TextTable(
            columns: [.init("", alignment: .left)] + goal.episodes.indices.map { .init("episode \($0 + 1)") })
        for row in goal.rows { table.append(row) }
        return "\n" + table.markdown()
    }

    private var pyTorch: String {
        guard ["gru", "lstm"].contains(record.model) else { return "" }
        return """
            In a checkout of rl2x, this loads the weights into PyTorch and replays
            the trial that `results.json` holds, logit by logit:

            ```sh
            python3 scripts/zoo_to_pytorch.py bench/zoo/\(record.name)
            ```
            """
    }

    private var training: String {
        let made = record.training
        var facts = [
            "seed \(made.seed)", "\(Display.grouped(made.iterations)) iterations",
            "\(Display.grouped(made.steps)) time steps",
        ]
        if let seconds = made.seconds {
            let threads = made.threads.map { " on \($0) \($0 == 1 ? "thread" : "threads")" } ?? ""
            facts.append(Display.duration(seconds) + threads)
        }
        if let version = made.version { facts.append("rl2x \(version)") }
        let command = made.command.map { "\n\n```sh\n\($0)\n```" } ?? ""
        return facts.joined(separator: ", ") + ". The whole configuration is `config.yaml`." + command
    }
}
