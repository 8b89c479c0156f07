import Tasks
import Testing

@testable import Bench

@Suite struct TerminalPictureTests {
    private func picture() -> Picture {
        var picture = Picture(width: 2, height: 3, Picture.Colour(0, 0, 0))
        picture[0, 0] = Picture.Colour(255, 0, 0)
        picture[1, 1] = Picture.Colour(255, 255, 255)
        picture[0, 2] = Picture.Colour(200, 10, 10)
        return picture
    }

    @Test func twoPixelsAreOneCharacter() {
        let full = TerminalPicture(.full).lines(picture())
        #expect(full[0] == "\u{1B}[38;2;255;0;0;48;2;0;0;0m▀\u{1B}[38;2;0;0;0;48;2;255;255;255m▀\u{1B}[0m")
        // A last row without a partner is drawn twice.
        #expect(full.count == 2 && full[1].hasPrefix("\u{1B}[38;2;200;10;10;48;2;200;10;10m▀"))
        #expect(
            TerminalPicture(.few).lines(picture())[0] == "\u{1B}[38;5;196;48;5;16m▀\u{1B}[38;5;16;48;5;231m▀\u{1B}[0m")
        let letters = TerminalPicture(.none).lines(picture())
        #expect(letters == ["R=", "R "])
        // A colour is said once.
        let plain = TerminalPicture(.full).lines(Picture(width: 5, height: 2, Picture.Colour(1, 2, 3)))
        #expect(plain[0].components(separatedBy: "\u{1B}").count == 3)
    }

    @Test func coloursOf256AreTheNearest() {
        #expect(TerminalPicture.index(Picture.Colour(0, 0, 0)) == 16)
        #expect(TerminalPicture.index(Picture.Colour(255, 255, 255)) == 231)
        #expect(TerminalPicture.index(Picture.Colour(95, 135, 175)) == 16 + 36 + 12 + 3)
        #expect(TerminalPicture.index(Picture.Colour(118, 118, 118)) == 243)
        for value in stride(from: 0, through: 255, by: 15) {
            let index = TerminalPicture.index(Picture.Colour(UInt8(value), 255 - UInt8(value), UInt8(value)))
            #expect((16...255).contains(index))
        }
    }

    @Test func aTerminalSaysWhatItCanShow() {
        func supported(_ environment: [String: String]) -> TerminalPicture.Colours {
            TerminalPicture.Colours.supported(by: environment)
        }
        #expect(supported(["LANG": "en_GB.UTF-8", "COLORTERM": "truecolor", "TERM": "xterm"]) == .full)
        #expect(supported(["LANG": "C.utf8", "TERM": "xterm-256color"]) == .few)
        #expect(supported(["LANG": "C.UTF-8", "TERM": "vt100"]) == .none)
        #expect(supported(["LANG": "C", "COLORTERM": "truecolor"]) == .none)
        #expect(supported(["LC_ALL": "C", "LANG": "C.UTF-8", "COLORTERM": "truecolor"]) == .none)
        #expect(supported(["LANG": "C.UTF-8", "COLORTERM": "24bit", "NO_COLOR": "1"]) == .none)
        #expect(supported([:]) == .none)
    }

    @Test func theMapShowsWallsTargetAndAgent() {
        let plan = FloorPlan(
            side: 30, cell: 10, walls: [.init(x: 0..<30, y: 0..<10), .init(x: 0..<10, y: 10..<20)],
            targets: [.init(x: 22..<28, y: 22..<28)], bodyRadius: 2)
        let map = TerminalMap(plan)
        let place = FloorPlan.Place(x: 15, y: 15, degrees: 90)
        #expect(map.letters(place) == ["######", "##vv  ", "    RR"])
        #expect(map.letters(nil)[1] == "##    ")
        for (degrees, arrow) in [(0, ">>"), (180, "<<"), (270, "^^"), (-90, "^^"), (350, ">>"), (720, ">>")] {
            #expect(map.letters(.init(x: 15, y: 15, degrees: degrees))[1] == "##\(arrow)  ")
        }
        let picture = map.picture([FloorPlan.Place(x: 12, y: 12, degrees: 0), place])
        #expect(picture.width == 12 && picture.height == 12)
        #expect(picture[0, 0] == picture[2, 6] && picture[0, 0] != picture[9, 6])
        #expect(picture[6, 6] == Picture.Colour(20, 90, 190) && picture[6, 7] == Picture.Colour(20, 160, 90))
    }
}
