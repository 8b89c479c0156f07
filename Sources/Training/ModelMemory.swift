import Interface
import Kernels
import Models

/// Memory that a model takes by its size alone.
public enum ModelMemory {
    /// Throws if models are so large that not even their parameters fit in memory: before anything is made of them.
    ///
    /// - Parameters:
    ///   - vectors: as long as the parameters that are needed at least, such as parameters and their gradient.
    ///   - available: bytes.
    public static func require(
        _ models: [any SequencePolicy], vectors: Int, available: Int = Processor.current.memoryBytes
    ) throws {
        let parameters = models.reduce(0) { $0 + $1.layout.count }
        let needed = Double(parameters) * Double(vectors * MemoryLayout<Float>.stride)
        guard needed > Double(available) else { return }
        throw UserError(
            "\(parameters) parameters, of which at least \(vectors) vectors are needed, take \(Display.memory(bytes: needed)); there "
                + "are \(Display.memory(bytes: Double(available))): lower --hidden or --layers")
    }

}
