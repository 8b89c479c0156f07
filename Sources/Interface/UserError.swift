/// A mistake that the user can mend, in one line: what is wrong, where, and what to do.
public struct UserError: Error, CustomStringConvertible, Sendable, Equatable {
    public let description: String
    public init(_ description: String) { self.description = description }
}
