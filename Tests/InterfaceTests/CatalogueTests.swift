import Interface
import Testing

@Suite struct CatalogueTests {
    private struct Shape: CatalogueEntry {
        static let kind = "shape"
        let name: String
        var summary: String { "the shape \(name)" }
        var options: [Option] = []
    }

    private static let side = Option("side", 1...9, default: 1, help: "Side")
    private static let radius = Option("radius", 0...9.0, default: 1.0, help: "Radius")

    private func shapes() -> Catalogue<Shape> {
        Catalogue([
            Shape(name: "square", options: [CatalogueTests.side]),
            Shape(name: "circle", options: [CatalogueTests.radius]),
        ])
    }

    @Test func entriesKeepTheirOrder() throws {
        let shapes = shapes()
        #expect(shapes.names == ["square", "circle"])
        shapes.register(Shape(name: "arc", options: [CatalogueTests.radius]))
        #expect(shapes.names == ["square", "circle", "arc"])
        #expect(shapes.entry(named: "arc")?.summary == "the shape arc" && shapes.entry(named: "line") == nil)
        #expect(try shapes.require("arc").name == "arc")
    }

    @Test func whoAsksForNobodyHearsTheNames() {
        let shapes = shapes()
        let error = #expect(throws: UserError.self) { _ = try shapes.require("line") }
        #expect(error == UserError("unknown shape 'line': choose one of square, circle"))
        shapes.register(Shape(name: "line"))
        #expect(throws: Never.self) { _ = try shapes.require("line") }
    }

    @Test func ownersAreThoseWhoHaveAnOption() {
        let shapes = shapes()
        shapes.register(Shape(name: "arc", options: [CatalogueTests.radius, CatalogueTests.side]))
        #expect(shapes.owners(of: "radius") == ["circle", "arc"])
        #expect(shapes.owners(of: "side") == ["square", "arc"])
        #expect(shapes.owners(of: "colour").isEmpty)
    }

    @Test func aNameIsTakenOnce() async {
        await #expect(processExitsWith: .failure) {
            let shapes = Catalogue([Shape(name: "square")])
            shapes.register(Shape(name: "square"))
        }
    }

    /// Several threads may register and read.
    @Test func registeringIsSafeFromAnyThread() async {
        let shapes = shapes()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                group.addTask {
                    shapes.register(Shape(name: "polygon-\(number)"))
                    _ = shapes.owners(of: "side")
                }
            }
        }
        #expect(shapes.entries.count == 102 && Set(shapes.names).count == 102)
    }
}
