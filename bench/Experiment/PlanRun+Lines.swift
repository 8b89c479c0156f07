import Foundation
import Interface
import Training

/// A cell whose parent, another cell of the plan, is not done as the plan says.
struct MissingParent: Error {
    let identifier: String
}

/// Cells that begin with the weights of other cells, or of runs.
extension PlanRun {
    /// Where a cell has its run.
    func run(of cell: Plan.Cell) -> RunDirectory { RunDirectory("\(directory)/cells/\(cell.identifier)/run") }

    /// What a cell trains, with the record of its parent: the one that it began with, else the parent as it is now.
    ///
    /// - Throws: `MissingParent`, or one line, such as that its parent has other weights now than those it began with.
    func configuration(of cell: Plan.Cell) throws -> Configuration {
        guard let origin = cell.task.origin else { return try plan.configuration(of: cell) }
        let begun = try begun(cell)
        try requireParent(of: cell, isNeeded: begun == nil)
        guard let begun else {
            return try plan.configuration(of: cell, after: parentRun(of: cell, origin).record)
        }
        guard let record = begun.parent else {
            throw UserError(
                "cells/\(cell.identifier): begun without the weights of \(name(of: origin)); move it and "
                    + "records/\(cell.identifier).json away to have the cell done again")
        }
        guard !record.hasChanged(at: path(of: origin, for: cell)) else {
            throw UserError(
                "cells/\(cell.identifier): began with other weights than \(name(of: origin)) has now, which was trained on or "
                    + "made anew since; move it and records/\(cell.identifier).json away to have the cell done again")
        }
        // Nothing is left to compare it with.
        if case .run(let path) = origin, !RunDirectory(path).isRun { return begun }
        return try plan.configuration(of: cell, after: record)
    }

    /// What a cell's record or checkpoint was made with; nil if there is neither.
    private func begun(_ cell: Plan.Cell) throws -> Configuration? {
        let record = file(CellRecord.self, cell)
        if FileManager.default.fileExists(atPath: record) {
            return try Configuration(yaml: CellRecord.read(record).configuration, path: record)
        }
        let run = run(of: cell)
        return run.isRun && run.isResumable ? try run.configuration() : nil
    }

    /// Throws unless the parent of a cell, if it is one of the plan, was done with the plan's settings. A cell that has begun
    /// does not need it any more: what is gone is no obstacle.
    private func requireParent(of cell: Plan.Cell, isNeeded: Bool) throws {
        guard let parent = plan.parent(of: cell) else { return }
        let path = file(CellRecord.self, parent)
        guard isNeeded || FileManager.default.fileExists(atPath: path) else { return }
        do {
            try requireSame(CellRecord.read(path), configuration(of: parent))
        } catch {
            // Why, is told when the parent's turn comes.
            throw MissingParent(identifier: parent.identifier)
        }
    }

    private func parentRun(of cell: Plan.Cell, _ origin: Plan.Origin) throws -> ParentRun {
        guard let parent = plan.parent(of: cell) else {
            do {
                return try ParentRun(RunDirectory.named(path(of: origin, for: cell)))
            } catch let error as UserError {
                throw cell.task.node.error("cell '\(cell.identifier)' has nothing to begin with: \(error.description)")
            }
        }
        let run = run(of: parent)
        guard run.hasCheckpoint else {
            throw UserError(
                "\(run.path): the weights that cell '\(cell.identifier)' begins with are gone; move "
                    + "records/\(parent.identifier).json away to have them trained again")
        }
        return try ParentRun(run)
    }

    private func path(of origin: Plan.Origin, for cell: Plan.Cell) -> String {
        switch origin {
        case .run(let path): path
        case .task: plan.parent(of: cell).map { run(of: $0).path } ?? ""
        }
    }

    private func name(of origin: Plan.Origin) -> String {
        switch origin {
        case .run(let path): path
        case .task(let name): "'\(name)'"
        }
    }
}

extension CellRecord {
    /// What to know of records whose parents have other weights now than those that their cells began with, a line each.
    /// - Parameter directory: where `bench run` wrote the records and, unless they are gone, the runs.
    public static func changedParents(of records: [CellRecord], in directory: String) -> [String] {
        records.compactMap { record in
            guard let parent = try? Configuration(yaml: record.configuration, path: record.cell).parent else {
                return nil
            }
            let path = place(of: parent, in: directory)
            guard parent.hasChanged(at: path) else { return nil }
            return
                "\(record.cell) began with other weights than \(path) has now, which was trained on or made anew since"
        }
    }

    /// A parent's run in a directory of results, which may have been moved since.
    private static func place(of parent: Parent, in directory: String) -> String {
        guard let cells = parent.run.range(of: "/cells/", options: .backwards) else { return parent.run }
        let moved = directory + parent.run[cells.lowerBound...]
        return RunDirectory(moved).hasCheckpoint ? moved : parent.run
    }
}
