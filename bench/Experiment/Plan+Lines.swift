import Interface
import Training

/// Tasks of a plan that begin with the weights of others.
extension Plan {
    /// What the cells of a task begin with.
    public enum Origin: Sendable, Equatable {
        /// The weights of another task's cell: that of the same model, learner, setting and seed.
        case task(String)
        /// Those of a run that is no part of the plan, by its directory.
        case run(String)
    }

    /// The cell whose weights another one begins with; nil: it begins with random ones, or with those of a run that is no
    /// part of the plan.
    public func parent(of cell: Cell) -> Cell? {
        guard case .task(let name)? = cell.task.origin else { return nil }
        return cells.first {
            ($0.task.name, $0.model.name, $0.learner.name, $0.setting.name, $0.seed)
                == (name, cell.model.name, cell.learner.name, cell.setting.name, cell.seed)
        }
    }

    /// The tasks whose `from` leads somewhere, parents before children, otherwise in their order. What is wrong with the
    /// others goes to `problems`.
    ///
    /// - Throws: one line if some tasks begin from each other.
    static func inLines(_ tasks: [TaskEntry], _ problems: inout [String]) throws -> [TaskEntry] {
        var sound = tasks
        // A task that is left out takes those with it that begin from it.
        while let (place, flaw) = firstFlaw(sound, listed: tasks) {
            problems.append(flaw.description)
            sound.remove(at: place)
        }
        for place in sound.indices {
            guard let from = sound[place].from else { continue }
            sound[place].origin = sound.contains { $0.name == from } ? .task(from) : .run(from)
        }
        var ordered: [TaskEntry] = []
        while !sound.isEmpty {
            let ready = sound.firstIndex { task in
                guard case .task(let parent)? = task.origin else { return true }
                return ordered.contains { $0.name == parent }
            }
            guard let ready else { throw cycle(in: sound) }
            ordered.append(sound.remove(at: ready))
        }
        return ordered
    }

    private static func firstFlaw(_ tasks: [TaskEntry], listed: [TaskEntry]) -> (Int, UserError)? {
        for (place, task) in tasks.enumerated() {
            guard let from = task.from else { continue }
            if let parent = tasks.first(where: { $0.name == from }) {
                guard parent.task != task.task else { continue }
                return (
                    place,
                    task.node.error(
                        "'\(task.name)' is of task \(task.task) and begins from '\(from)', which is of \(parent.task): name "
                            + "one of the same task")
                )
            }
            if listed.contains(where: { $0.name == from }) {
                return (place, task.node.error("'\(task.name)' begins from '\(from)', which is left out"))
            }
            guard !from.contains("/"), !RunDirectory(from).isRun else { continue }
            return (
                place,
                task.node.error(
                    "'\(task.name)' begins from '\(from)', and there is no such task that can be done, nor a run in a directory "
                        + "of this name")
            )
        }
        return nil
    }

    /// - Parameter tasks: each begins from another one of them.
    private static func cycle(in tasks: [TaskEntry]) -> UserError {
        var path = [tasks[0]]
        while let next = tasks.first(where: { $0.name == path[path.count - 1].from }) {
            if let start = path.firstIndex(where: { $0.name == next.name }) {
                let names = (path[start...] + [next]).map { "'\($0.name)'" }.joined(separator: " from ")
                return next.node.error("a cycle of 'from': \(names); let one of them begin without it")
            }
            path.append(next)
        }
        return tasks[0].node.error("'\(tasks[0].name)' begins from itself")
    }

    /// Leaves out the cells whose models cannot hold the weights that they are to begin with, and those that begin from
    /// them: known before hours of training, not after them.
    mutating func leaveOutMisfits() {
        for cell in cells where cell.seed == seeds[0] {
            guard let origin = cell.task.origin else { continue }
            do {
                switch origin {
                case .task(let name):
                    guard let parent = parent(of: cell) else {
                        throw cell.task.node.error(
                            "cell '\(cell.identifier)' begins from that of '\(name)', which is left out")
                    }
                    // What is wrong with the parent is told when its turn comes.
                    guard (try? configuration(of: parent)) != nil else { continue }
                // Where it is gone, cells that have begun go on.
                case .run(let path): guard RunDirectory(path).isRun else { continue }
                }
                _ = try configuration(of: cell)
            } catch {
                problems.append(Plan.inItsWords("\(error)"))
                cells.removeAll {
                    ($0.task.name, $0.model.name, $0.learner.name, $0.setting.name)
                        == (cell.task.name, cell.model.name, cell.learner.name, cell.setting.name)
                }
            }
        }
    }
}
