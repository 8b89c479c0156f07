import Conformance
import Kernels
import Testing

@Suite struct BLASTests {
    struct Product: Sendable, CustomStringConvertible {
        var (m, n, k): (Int, Int, Int)
        var transposeA = false
        var transposeB = false
        /// Floats between the end of a stored row and the start of the next.
        var (gapA, gapB, gapC): (Int, Int, Int) = (0, 0, 0)
        var (alpha, beta): (Float, Float) = (1, 0)

        init(
            _ m: Int, _ n: Int, _ k: Int, _ transposeA: Bool = false, _ transposeB: Bool = false,
            gaps: (Int, Int, Int) = (0, 0, 0), alpha: Float = 1, beta: Float = 0
        ) {
            (self.m, self.n, self.k) = (m, n, k)
            (self.transposeA, self.transposeB) = (transposeA, transposeB)
            (gapA, gapB, gapC) = gaps
            (self.alpha, self.beta) = (alpha, beta)
        }

        var description: String {
            "\(m)×\(n)×\(k)\(transposeA ? " Aᵀ" : "")\(transposeB ? " Bᵀ" : "") gaps \(gapA) \(gapB) \(gapC) "
                + "alpha \(alpha) beta \(beta)"
        }
    }

    static let products: [Product] =
        [(1, 1, 1), (3, 5, 2), (17, 33, 9), (64, 48, 96), (130, 67, 71)].flatMap { m, n, k in
            [false, true].flatMap { a in
                [false, true].flatMap { b in
                    [
                        Product(m, n, k, a, b), Product(m, n, k, a, b, gaps: (3, 1, 2), beta: 1),
                        Product(m, n, k, a, b, gaps: (0, 5, 7), alpha: -0.5, beta: 0.25),
                    ]
                }
            }
        }

    /// Against three loops in double precision, with untouched gaps between the rows of C.
    @Test(arguments: products)
    func equalsTripleLoop(_ product: Product) {
        var random = RandomSource(seed: 21)
        let (m, n, k) = (product.m, product.n, product.k)
        let lda = (product.transposeA ? m : k) + product.gapA
        let ldb = (product.transposeB ? k : n) + product.gapB
        let ldc = n + product.gapC
        let a = random.normals((product.transposeA ? k : m) * lda)
        let b = random.normals((product.transposeB ? n : k) * ldb)
        let before = random.normals(m * ldc)
        var c = before
        BLAS.multiply(
            m, n, k, a, lda, transposeA: product.transposeA, b, ldb, transposeB: product.transposeB, into: &c, ldc,
            alpha: product.alpha, beta: product.beta)
        for row in 0..<m {
            for column in 0..<ldc {
                let place = row * ldc + column
                guard column < n else {
                    #expect(c[place] == before[place], "the gap behind row \(row) was written")
                    continue
                }
                var (sum, magnitude) = (0.0, 0.0)
                for inner in 0..<k {
                    let left = a[product.transposeA ? inner * lda + row : row * lda + inner]
                    let right = b[product.transposeB ? column * ldb + inner : inner * ldb + column]
                    sum += Double(left) * Double(right)
                    magnitude += abs(Double(left) * Double(right))
                }
                let scaled = Double(product.alpha) * sum + Double(product.beta) * Double(before[place])
                let scale = abs(Double(product.alpha)) * magnitude + abs(Double(product.beta) * Double(before[place]))
                #expect(abs(Double(c[place]) - scaled) <= roundingTolerance(depth: k + 2) * scale)
            }
        }
    }

    /// With beta 0 the old contents of C must not count, not even NaN.
    @Test func betaZeroOverwritesNaN() {
        var random = RandomSource(seed: 22)
        let (a, b) = (random.normals(20 * 30), random.normals(30 * 40))
        var c = [Float](repeating: .nan, count: 20 * 40)
        BLAS.multiply(20, 40, 30, a, 30, b, 40, into: &c, 40)
        #expect(c.allSatisfy { $0.isFinite })
    }

    /// A row's bits must not depend on what the other rows hold: lanes are independent to the last bit.
    @Test func rowsAreIndependent() {
        var random = RandomSource(seed: 23)
        var a = random.normals(37 * 50)
        let b = random.normals(50 * 29)
        var (first, second) = ([Float](repeating: 0, count: 37 * 29), [Float](repeating: 0, count: 37 * 29))
        BLAS.multiply(37, 29, 50, a, 50, b, 29, into: &first, 29)
        a.replaceSubrange(11 * 50..<12 * 50, with: random.normals(50))
        BLAS.multiply(37, 29, 50, a, 50, b, 29, into: &second, 29)
        for row in 0..<37 where row != 11 {
            #expect(sameBits(Array(first[row * 29..<(row + 1) * 29]), Array(second[row * 29..<(row + 1) * 29])))
        }
    }

    @Test func emptyProductsDoNothing() {
        var c: [Float] = [7]
        BLAS.multiply(0, 1, 1, [1], 1, [1], 1, into: &c, 1)
        BLAS.multiply(1, 0, 1, [1], 1, [1], 1, into: &c, 1)
        #expect(c == [7])
    }

    @Test func kernelSetHasAReason() {
        #expect(["library", "user", "cpuid"].contains(BLAS.kernelSet.source))
        #expect(!BLAS.kernelSet.name.isEmpty)
        if BLAS.kernelSet.source == "cpuid" { #expect(Processor.current.hasAVX512) }
    }
}
