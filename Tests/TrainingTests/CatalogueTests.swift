import Interface
import Models
import Tasks
import Testing

@testable import Training

/// What all catalogues together must keep to, so that `--name value` means one thing.
@Suite struct CatalogueTests {
    private struct Owner {
        let kind: String
        let name: String
        let options: [Option]

        init<Entry: CatalogueEntry>(_ entry: Entry) {
            (kind, name, options) = (Entry.kind, entry.name, entry.options)
        }
    }

    private var owners: [Owner] {
        taskCatalogue.entries.map(Owner.init) + modelCatalogue.entries.map(Owner.init)
            + learnerCatalogue.entries.map(Owner.init)
    }

    @Test func anOptionBelongsToOneKindOfOwner() {
        var kinds: [String: Set<String>] = [:]
        for owner in owners { for option in owner.options { kinds[option.name, default: []].insert(owner.kind) } }
        #expect(kinds.count > 40)
        for (option, kinds) in kinds { #expect(kinds.count == 1, "--\(option) is of \(kinds.sorted())") }
        // What a run is asked for by name, besides options.
        for name in ["task", "model", "learner", "seed", "iterations", "batch-steps", "stages", "version", "set"] {
            #expect(kinds[name] == nil, "--\(name) is of a run")
        }
    }

    /// An option of the same name in several entries of a kind is the same kind of value; ranges and defaults may differ.
    @Test func optionsOfOneNameAreOfOneKindOfValue() {
        func value(_ option: Option) -> String {
            switch option.kind {
            case .integer: "a whole number"
            case .real: "a real number"
            case .word(let words): "one of \(words)"
            case .text: "a text"
            }
        }
        var first: [String: (value: String, owner: String)] = [:]
        for owner in owners {
            for option in owner.options {
                let key = owner.kind + " " + option.name
                let known = first[key, default: (value(option), owner.name)]
                #expect(known.value == value(option), "--\(option.name) of \(known.owner) and of \(owner.name)")
                first[key] = known
            }
        }
    }

    @Test func optionsAreWellFormed() throws {
        for owner in owners {
            let names = owner.options.map(\.name)
            #expect(Set(names).count == names.count, "\(owner.kind) \(owner.name) has an option twice")
            for option in owner.options {
                let place: Comment = "--\(option.name) of \(owner.kind) \(owner.name)"
                #expect(option.accepted(option.defaultValue) == option.defaultValue, place)
                #expect(option.name.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" }, place)
                #expect(option.name.first?.isLetter == true && !option.name.hasSuffix("-"), place)
                #expect(!option.help.isEmpty && !option.help.hasSuffix(".") && !option.help.contains("default"), place)
                guard let followed = option.follows else { continue }
                let start = try #require(owner.options.named(followed), place)
                #expect(start.kind == option.kind && start.defaultValue == option.defaultValue, place)
            }
        }
    }

    @Test func namesAreWellFormed() {
        for names in [taskCatalogue.names, modelCatalogue.names, learnerCatalogue.names] {
            #expect(Set(names).count == names.count)
            for name in names {
                #expect(name.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "_" || $0 == "-" }, "\(name)")
            }
        }
        for entry in taskCatalogue.entries { #expect(!entry.summary.isEmpty && !entry.summary.contains("\n")) }
        for entry in modelCatalogue.entries { #expect(!entry.summary.isEmpty && !entry.summary.contains("\n")) }
        for entry in learnerCatalogue.entries { #expect(!entry.summary.isEmpty && !entry.summary.contains("\n")) }
    }

    /// What a task says of its training exists: its learner, the learners of its stages, and options that somebody has.
    @Test func defaultsOfTasksNameWhatExists() throws {
        let modelOptions = Set(modelCatalogue.entries.flatMap(\.options).map(\.name))
        for task in taskCatalogue.entries {
            for model in modelCatalogue.entries {
                let defaults = task.training(Values(defaults: task.options), model.traits)
                #expect(try learnerCatalogue.require(defaults.learner).isOuterLoop)
                #expect(!defaults.stages.isEmpty && modelOptions.isSuperset(of: defaults.modelOptions.names))
                for stage in defaults.stages {
                    let learner = try learnerCatalogue.require(stage.learner)
                    #expect(stage.learnerOptions.names.allSatisfy { learner.options.named($0) != nil }, "\(task.name)")
                    #expect(stage.taskOptions.names.allSatisfy { task.options.named($0) != nil }, "\(task.name)")
                }
            }
        }
    }
}
