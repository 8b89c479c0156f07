import Interface
import Tasks
import Training

/// The teacher of a name such as `gittins`, `gittins:rule=exact:discount=0.99` or `oracle` (see `AgentRequest`).
///
/// - Throws: a `UserError` if there is no such agent of the family's task, or if it cannot play the family.
public func makeTeacher(named name: String, for family: any TaskFamily) throws -> any Teacher {
    let request = try AgentRequest(name, task: family.name)
    if let objection = request.objection(family) { throw UserError(objection) }
    guard let teacher = request.agent as? any Teacher, !request.wantsTuning else {
        throw UserError("'\(name)' cannot teach: name one agent, with one value for each option")
    }
    return teacher
}
