/// The form of a task's observations: what a policy's encoder is built for.
public enum ObservationSpace: Sendable, Equatable {
    /// `width` real numbers (0: the task shows nothing, as a bandit).
    case vector(width: Int)
    /// An image of height × width × channels bytes, row-major, channels last.
    case image(height: Int, width: Int, channels: Int)

    /// Numbers in one observation.
    public var count: Int {
        switch self {
        case .vector(let width): width
        case .image(let height, let width, let channels): height * width * channels
        }
    }

    /// Real numbers in one observation; 0 for images.
    public var vectorWidth: Int { if case .vector(let width) = self { width } else { 0 } }

    /// Bytes in one observation; 0 for vectors.
    public var imageBytes: Int { if case .image = self { count } else { 0 } }
}
