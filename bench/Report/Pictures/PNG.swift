import CPNG
import Foundation

/// Pictures as PNG files (ISO/IEC 15948), by libpng.
public enum PNG {
    /// A picture as the bytes of a file.
    public static func encode(_ picture: Picture) -> Data {
        var image = header(picture.width, picture.height)
        var size: png_alloc_size_t = 0
        var data = Data()
        picture.bytes.withUnsafeBytes { pixels in
            // The first call counts the bytes, the second writes them. Both can fail by want of memory only.
            let counted = png_image_write_to_memory(&image, nil, &size, 0, pixels.baseAddress, 0, nil)
            precondition(counted != 0, "libpng gave up a picture of \(picture.width) × \(picture.height) pixels")
            data = Data(count: size)
            let written = data.withUnsafeMutableBytes {
                png_image_write_to_memory(&image, $0.baseAddress, &size, 0, pixels.baseAddress, 0, nil)
            }
            precondition(written != 0, "libpng gave up a picture of \(picture.width) × \(picture.height) pixels")
        }
        return data.prefix(size)
    }

    /// The picture in a file's bytes (of an animated one its first), or nil if they are not a PNG file's.
    public static func decode(_ data: Data) -> Picture? {
        var image = header(0, 0)
        return data.withUnsafeBytes { file -> Picture? in
            guard png_image_begin_read_from_memory(&image, file.baseAddress, file.count) != 0 else { return nil }
            image.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
            let (width, height) = (Int(image.width), Int(image.height))
            var bytes = [UInt8](repeating: 0, count: 3 * width * height)
            let isRead = bytes.withUnsafeMutableBytes {
                png_image_finish_read(&image, nil, $0.baseAddress, 0, nil) != 0
            }
            return isRead ? Picture(width: width, height: height, bytes: bytes) : nil
        }
    }

    /// Pictures of one size as an animation, shown in order and again from the start: an animated PNG, which programs that
    /// know none show as its first picture.
    ///
    /// The extension's chunks (APNG 1.0): `acTL` with the number of frames, before each frame `fcTL` with its size and
    /// time, and `fdAT`, an `IDAT` with a sequence number, for all frames but the first.
    ///
    /// - Parameter milliseconds: time of each picture.
    public static func animate(_ pictures: [Picture], milliseconds: [Int]) -> Data {
        precondition(!pictures.isEmpty && pictures.count == milliseconds.count, "a time for each picture")
        precondition(
            pictures.allSatisfy { $0.width == pictures[0].width && $0.height == pictures[0].height },
            "pictures of an animation have one size")
        var sequence: UInt32 = 0
        func number() -> Data {
            defer { sequence += 1 }
            return bigEndian(sequence)
        }
        var file = Data()
        for (index, picture) in pictures.enumerated() {
            let encoded = encode(picture)
            let parts = chunks(of: encoded)
            if index == 0 {
                file = encoded.prefix(8)
                file += chunk("IHDR", parts.first { $0.name == "IHDR" }!.content)
                file += chunk("acTL", bigEndian(UInt32(pictures.count)) + bigEndian(0))
            }
            // Sequence number, width, height, offsets; delay as a fraction of seconds; nothing disposed of or blended.
            var control = number()
            control += bigEndian(UInt32(picture.width)) + bigEndian(UInt32(picture.height))
            control += bigEndian(0) + bigEndian(0)
            control += bigEndian(UInt32(min(milliseconds[index], 65_535)) << 16 | 1000) + Data([0, 0])
            file += chunk("fcTL", control)
            for part in parts where part.name == "IDAT" {
                file += index == 0 ? chunk("IDAT", part.content) : chunk("fdAT", number() + part.content)
            }
        }
        return file + chunk("IEND", Data())
    }

    private static func header(_ width: Int, _ height: Int) -> png_image {
        var image = png_image()
        image.version = png_uint_32(PNG_IMAGE_VERSION)
        image.width = png_uint_32(width)
        image.height = png_uint_32(height)
        image.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
        return image
    }

    private static func bigEndian(_ number: UInt32) -> Data { withUnsafeBytes(of: number.bigEndian) { Data($0) } }

    private static func chunks(of file: Data) -> [(name: String, content: Data)] {
        var (result, place) = ([(name: String, content: Data)](), file.startIndex + 8)
        while place + 12 <= file.endIndex {
            let length = file[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
            let name = String(decoding: file[place + 4..<place + 8], as: UTF8.self)
            result.append((name, Data(file[place + 8..<place + 8 + length])))
            place += 12 + length
        }
        return result
    }

    /// Length, name, content, and a checksum of the last two.
    private static func chunk(_ name: String, _ content: Data) -> Data {
        let body = Data(name.utf8) + content
        return bigEndian(UInt32(content.count)) + body + bigEndian(checksum(body))
    }

    /// CRC-32 as in ISO 3309: of the polynomial 0xEDB88320, reversed.
    private static func checksum(_ data: Data) -> UInt32 {
        ~data.reduce(0xFFFF_FFFF) { register, byte in
            checksumTable[Int((register ^ UInt32(byte)) & 0xFF)] ^ (register >> 8)
        }
    }

    private static let checksumTable: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { register, _ in
            register & 1 == 1 ? 0xEDB8_8320 ^ (register >> 1) : register >> 1
        }
    }
}
