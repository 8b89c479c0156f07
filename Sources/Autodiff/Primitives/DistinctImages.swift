import Kernels

/// Images of bytes of which each distinct one lies on the tape once. A renderer is exact, so frames repeat: what an encoder
/// does to one of them it need not do to the others. Values and derivatives are those of the images one by one; only sums
/// are taken in another order.
public struct DistinctImages {
    /// The distinct images in the order in which they come first: a constant [U, width / 4, rounded up].
    let images: Node
    /// Which of them each image is: a constant [N, 1] whose floats are the bits of `Int32`, as `Embedding` reads them.
    let places: Node
    /// Bytes of an image.
    let width: Int
}

extension Tape {
    /// Copies the distinct ones of `count` images of `width` bytes each to the tape.
    public func distinctImages(_ bytes: UnsafePointer<UInt8>, count: Int, width: Int) -> DistinctImages {
        imageTable.forget()
        return newImages(bytes, count: count, width: width)
    }

    /// The rows [count, C] that `encode` makes of images: each distinct image is encoded once, and on a tape that keeps
    /// what it encodes (`begin`) only in the first pass that shows it.
    ///
    /// - Parameter encode: makes a row of each of some distinct images [U, C], by a map of its own.
    public func rows(
        of bytes: UnsafePointer<UInt8>, count: Int, width: Int, encode: (DistinctImages) -> Node
    ) -> Node {
        guard keepsEncodings else {
            let images = distinctImages(bytes, count: count, width: width)
            return spread(encode(images), over: images)
        }
        if imageTable.usedBytes > Tape.keptBytes { imageTable.forget() }
        let images = newImages(bytes, count: count, width: width)
        if images.images.rows > 0 {
            let rows = encode(images)
            imageTable.append(rows: value(rows), count: rows.rows, columns: rows.columns)
        }
        let columns = imageTable.columns
        let output = variable(rows: count, columns: columns)
        let (target, places) = (mutableValue(output), value(images.places))
        for row in 0..<count {
            let number = Int(Int32(bitPattern: places[row].bitPattern))
            (target + row * columns).update(from: imageTable.row(number), count: columns)
        }
        return output
    }

    /// What a tape keeps of images before it begins anew, bytes.
    private static let keptBytes = 64 << 20

    /// Copies the images that the table does not hold yet to the tape, and numbers all of them by the table.
    private func newImages(_ bytes: UnsafePointer<UInt8>, count: Int, width: Int) -> DistinctImages {
        imageTable.reserve(count, width: width)
        let known = imageTable.count
        let places = constant(rows: count, columns: 1)
        let numbers = mutableValue(places)
        for row in 0..<count {
            numbers[row] = Float(bitPattern: UInt32(imageTable.number(of: bytes + row * width)))
        }
        let bytesPerFloat = MemoryLayout<Float>.size
        let images = constant(rows: imageTable.count - known, columns: (width + bytesPerFloat - 1) / bytesPerFloat)
        let target = UnsafeMutableRawPointer(mutableValue(images))
        for row in 0..<images.rows {
            (target + row * images.columns * bytesPerFloat).copyMemory(
                from: imageTable.image(known + row), byteCount: width)
        }
        return DistinctImages(images: images, places: places, width: width)
    }

    /// The rows of x [U, C] that belong to the images: [N, C].
    public func spread(_ x: Node, over images: DistinctImages) -> Node {
        precondition(x.rows == images.images.rows, "\(x.rows) rows for \(images.images.rows) images")
        let output = variable(rows: images.places.rows, columns: x.columns)
        apply(Embedding.self, operands(images.places, x), output: output)
        return output
    }
}
