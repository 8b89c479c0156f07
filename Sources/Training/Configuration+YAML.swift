import Foundation
import Yams

extension Configuration {
    public func yaml() throws -> String {
        let encoder = YAMLEncoder()
        encoder.options.sortKeys = false
        return try encoder.encode(self)
    }

    /// Reads a configuration that a run wrote, or that somebody wrote like it. Unknown keys are refused.
    public init(yaml text: String, path: String) throws {
        do {
            let keys = try Yams.load(yaml: text) as? [String: Any] ?? [:]
            let known = Set(CodingKeys.allCases.map(\.rawValue))
            if let unknown = keys.keys.sorted().first(where: { !known.contains($0) }) {
                throw UserError(
                    "\(path): unknown key '\(unknown)'; known are \(known.sorted().joined(separator: ", "))")
            }
            let knownInStage = Set(Stage.CodingKeys.allCases.map(\.rawValue))
            for stage in keys["stages"] as? [[String: Any]] ?? [] {
                if let unknown = stage.keys.sorted().first(where: { !knownInStage.contains($0) }) {
                    throw UserError(
                        "\(path): unknown key '\(unknown)' in a stage; known are "
                            + knownInStage.sorted().joined(separator: ", "))
                }
            }
            self = try YAMLDecoder().decode(Configuration.self, from: text)
        } catch let error as UserError {
            throw error
        } catch DecodingError.keyNotFound(let key, _) {
            throw UserError("\(path): the key '\(key.stringValue)' is missing")
        } catch DecodingError.typeMismatch(_, let context), DecodingError.dataCorrupted(let context) {
            let place = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
            throw UserError(
                "\(path): \(place.isEmpty ? "not a YAML configuration" : "the value of '\(place.joined(separator: "."))' is not of the right kind")"
            )
        } catch {
            throw UserError("\(path): not a YAML configuration (\(String(describing: error).prefix(120)))")
        }
    }
}
