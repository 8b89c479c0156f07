import Foundation
import Platform

/// What the operating system says of the machine; Linux only.
public struct Processor: Sendable {
    /// Marketing name, as in /proc/cpuinfo.
    public let name: String
    /// AVX-512 foundation, vector-length and byte-word instructions, which OpenBLAS's SkylakeX kernels use.
    public let hasAVX512: Bool
    public let hasAVX2: Bool
    /// Processors that this process may use.
    public let coreCount: Int
    /// Bytes of memory that this process may use.
    public let memoryBytes: Int

    public static let current: Processor = {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        func field(_ key: String) -> String {
            for line in text.split(separator: "\n") where line.hasPrefix(key) {
                if let colon = line.firstIndex(of: ":") {
                    return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                }
            }
            return ""
        }
        let flags = Set(field("flags").split(separator: " "))
        let needed: [Substring] = ["avx512f", "avx512vl", "avx512bw", "avx512dq", "avx512cd"]
        return Processor(
            name: field("model name").isEmpty ? "unknown" : field("model name"),
            hasAVX512: needed.allSatisfy(flags.contains),
            hasAVX2: flags.contains("avx2"),
            coreCount: ProcessLimits.current.processors,
            memoryBytes: ProcessLimits.current.memoryBytes)
    }()
}
