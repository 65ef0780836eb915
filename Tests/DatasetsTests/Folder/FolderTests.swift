import Diagnostics
import Files
import Foundation
import Pictures
import Testing

@testable import Datasets

/// Which files of a folder become which samples.
struct FolderTests {
    private func pixels(_ data: Dataset) -> [[UInt8]] {
        guard case .images(let bytes, _, _, _) = data.features else { return [] }
        return stride(from: 0, to: bytes.count, by: data.sampleSize)
            .map { Array(bytes[$0..<$0 + data.sampleSize]) }
    }

    private func said(_ body: () throws -> some Any, _ folder: PictureScratch) -> String {
        folder.shortened(failure(body))
    }

    // MARK: Layouts

    @Test func classes() throws {
        let folder = try PictureScratch()
        try folder.grey("b/2.pgm", 2)
        try folder.grey("b/10.pgm", 3)
        try folder.grey("a/x/1.pgm", 4)
        try folder.grey("a/x.pgm", 5)
        try folder.grey("Z/1.PNG", 6)
        try folder.grey("é/1", 7)
        for name in ["a/.hidden.pgm", ".git/1.pgm", "a/Thumbs.db", "b/desktop.ini"] {
            try folder.write(name, "no picture")
        }
        let samples = try folder.load()
        let data = samples.learning
        #expect(data.classNames == ["Z", "a", "b", "é"])
        #expect(
            data.ids == ["Z/1.PNG", "a/x.pgm", "a/x/1.pgm", "b/10.pgm", "b/2.pgm", "é/1"])
        #expect(data.labels == [0, 1, 1, 2, 2, 3])
        #expect(pixels(data).map { $0[1] } == [6, 5, 4, 3, 2, 7])
        #expect(data.sampleShape == [1, 4, 4] && data.name == folder.path)
        #expect(samples.test == nil && data.ownValidation == nil && data.groups == nil)
        #expect(samples.warnings.isEmpty && samples.unread.isEmpty)
        #expect(samples.contents.count == 6)
        #expect(
            samples.contents["a/x.pgm"]
                == SHA256.hex(of: PictureScratch.pgm([0] + [UInt8](repeating: 5, count: 15))))
        #expect(Set(folder.source().files).count == 6)
    }

    @Test func parts() throws {
        let folder = try PictureScratch()
        for (i, part) in ["train", "val", "test"].enumerated() {
            for label in ["cat", "dog"] {
                for k in 0..<3 {
                    try folder.grey(
                        "\(part)/\(label)/\(k).pgm", UInt8(40 * i + 10 * k),
                        label == "cat" ? 1 : 200)
                }
            }
        }
        try folder.write("README.txt", "words")
        let samples = try folder.load()
        #expect(samples.learning.classNames == ["cat", "dog"])
        #expect(samples.learning.count == 12 && samples.test?.count == 6)
        #expect(
            samples.learning.ownValidation
                == [Bool](repeating: false, count: 6) + [Bool](repeating: true, count: 6))
        #expect(samples.test?.ids?.first == "test/cat/0.pgm")
        #expect(samples.warnings == ["1 files beside the folders of the parts are no samples"])
        let split = try Split.make(samples.learning, validation: 0.15, test: 0, seed: 1)
        #expect(split.train == Array(0..<6) && split.validation == Array(6..<12))

        // A class that no training picture is of.
        try folder.grey("test/cta/1.pgm", 9)
        #expect(
            said({ try folder.load() }, folder)
                == "F/test/cta/1.pgm: unknown class: found \"cta\" (did you mean \"cat\"?)")
    }

    /// `train` may be a vehicle.
    @Test func trains() throws {
        let folder = try PictureScratch()
        try folder.grey("train/1.pgm", 1)
        try folder.grey("test/1.pgm", 2)
        #expect(try folder.load().learning.classNames == ["test", "train"])
        try folder.grey("boat/1.pgm", 3)
        try folder.grey("train/fast/1.pgm", 4)
        #expect(try folder.load().learning.classNames == ["boat", "test", "train"])
        #expect(try folder.load().learning.labels == [0, 1, 2, 2])
    }

    @Test func partsTwice() throws {
        let folder = try PictureScratch()
        for part in ["train", "val", "valid"] { try folder.grey("\(part)/a/1.pgm", 1) }
        #expect(
            said({ try folder.load() }, folder)
                == "F: a part of the data is there twice: found train, val, valid, expected train, and "
                + "val or test or both")
    }

    @Test func nothing() throws {
        let folder = try PictureScratch()
        let sentence =
            "F: no pictures: expected a folder for each class with pictures in it, or labels.csv "
            + "(train, val and test may stand above the classes)"
        #expect(said({ try folder.load() }, folder) == sentence)
        try folder.grey("1.pgm", 1)
        #expect(said({ try folder.load() }, folder) == sentence)
        #expect(
            failure { try FolderSource(path: "/nowhere", height: 1, width: 1).read() }
                == "/nowhere: cannot read: No such file or directory")
        let file = try folder.grey("2.pgm", 1)
        #expect(
            failure { try FolderSource(path: file, height: 1, width: 1).read() }
                == "\(file): cannot read: Not a directory")
    }

    @Test func classNames() throws {
        let folder = try PictureScratch()
        try folder.grey("b/1.pgm", 1)
        try folder.grey("a/1.pgm", 2)
        let data = try folder.load { $0.classNames = ["b", "c", "a"] }.learning
        #expect(data.classNames == ["b", "c", "a"] && data.labels == [2, 0])
        #expect(
            said({ try folder.load { $0.classNames = ["b", "c"] } }, folder)
                == "F/a/1.pgm: unknown class: found \"a\" (one of: b, c)")
    }

    // MARK: labels.csv

    @Test func labelTable() throws {
        let folder = try PictureScratch()
        for k in 1...4 { try folder.grey("p/\(k).pgm", UInt8(10 * k)) }
        try folder.write(
            "labels.csv",
            "label,path,truth,second,group,split\r\ncat,p/1.pgm,cat,dog,u,train\n"
                + "dog,./p//3.pgm,cat,dog,v,val\n\"cat\",p/2.pgm,cat,cat,u,train\ndog,p/4.pgm,dog,cat,w,test\n"
        )
        let samples = try folder.load { $0.clean = "truth" }
        let data = samples.learning
        #expect(data.ids == ["p/1.pgm", "p/2.pgm", "p/3.pgm"])
        #expect(data.labels == [0, 0, 1] && data.clean == [0, 0, 0])
        #expect(data.groups == [0, 0, 2] && data.ownValidation == [false, false, true])
        #expect(samples.test?.ids == ["p/4.pgm"] && samples.test?.labels == [1])
        // Another one's labels.
        #expect(try folder.load { $0.label = "second" }.learning.labels == [1, 0, 1])
        #expect(try folder.load { $0.label = 3 }.learning.labels == [1, 0, 1])
        #expect(
            said({ try folder.load { $0.label = "secnd" } }, folder)
                == "F/labels.csv, line 1: no column \"secnd\" (did you mean \"second\"?)")
        #expect(
            said({ try folder.load { $0.classNames = ["cat"] } }, folder).contains(
                "F/labels.csv, line 3"))
    }

    @Test(arguments: [
        ("path,label\n", "F: no pictures"),
        ("file,label\na,b\n", "F/labels.csv, line 1: no column \"path\""),
        ("path,label\np/1.pgm\n", "F/labels.csv, line 2: "),
        ("path,label\np/1.pgm,\n", "F/labels.csv, line 2, column label: cell is empty"),
        ("path,label\np/1.pgm,NaN\n", "a word that stands for an absent value"),
        (
            "path,label\np/1.pgm,a\n./p/1.pgm,b\n",
            "F/labels.csv, line 3: picture named twice: found \"p/1.pgm\", as in line 2"
        ),
        (
            "path,label\n../x.pgm,a\n",
            "F/labels.csv, line 2: path leaves the folder: found \"../x.pgm\", expected a path from the "
                + "folder itself"
        ),
        ("path,label\n/etc/passwd,a\n", "F/labels.csv, line 2: path leaves the folder"),
        (
            "path,label,split\np/1.pgm,a,dev\n",
            "F/labels.csv, line 2, column split: unknown part: found \"dev\", expected train, val or test"
        ),
        ("path,label\np/1.pgm,a\n\u{1}", "F/labels.csv, line 3"),
        ("", "F/labels.csv: "),
    ])
    func badLabelTables(_ text: String, _ sentence: String) throws {
        let folder = try PictureScratch()
        try folder.grey("p/1.pgm", 1)
        try folder.write("labels.csv", text)
        let found = said({ try folder.load() }, folder)
        #expect(found.contains(sentence), "\(found)")
    }

    @Test func keysOfTheTable() throws {
        let folder = try PictureScratch()
        try folder.grey("a/1.pgm", 1)
        #expect(
            said({ try folder.load { $0.clean = "truth" } }, folder)
                == "data.clean: key goes with a file labels.csv: found no such file in F")
        #expect(said({ try folder.load { $0.label = "x" } }, folder).hasPrefix("data.label: "))
        #expect(said({ try folder.load { $0.group = "x" } }, folder).hasPrefix("data.group: "))
    }

    // MARK: Files that are no samples

    @Test func badFiles() throws {
        let folder = try PictureScratch()
        for k in 0..<20 { try folder.grey("a/\(k).pgm", UInt8(k)) }
        try folder.write("a/note.txt", "words")
        try folder.write("b/cut.pgm", "P5 4 4 255\nabc")
        for k in 0..<20 { try folder.grey("b/\(k).pgm", UInt8(100 + k)) }
        let samples = try folder.load()
        #expect(samples.learning.count == 40)
        #expect(samples.unread.map(\.path) == ["a/note.txt", "b/cut.pgm"])
        #expect(
            samples.warnings.map(folder.shortened) == [
                "F/a/note.txt: no picture: found text, expected JPEG, PNG, BMP, PPM or PGM",
                "F/b/cut.pgm: picture cut off: found the end of the file before the end of a PPM image "
                    + "(was it copied or downloaded to the end?)",
            ])
        // Once more from the cache.
        #expect(try folder.load().warnings == samples.warnings)
        #expect(try LoadedData(folder.source()).unread == samples.unread)
        try folder.write("b/third.gif", "GIF89a")
        #expect(
            said({ try folder.load() }, folder)
                == "F: too many files are no usable pictures: found 3 of 43, expected at most a share of "
                + "0.05 (data.most-bad) (the first: F/a/note.txt: no picture: found text, expected JPEG, "
                + "PNG, BMP, PPM or PGM)")
        #expect(try folder.load { $0.mostBad = 0.1 }.unread.count == 3)
    }

    @Test func nothingGood() throws {
        let folder = try PictureScratch()
        try folder.write("a/1.gif", "GIF89a")
        #expect(said({ try folder.load { $0.mostBad = 1 } }, folder).contains("found 1 of 1"))
    }

    @Test func links() throws {
        let folder = try PictureScratch()
        try folder.grey("a/1.pgm", 1)
        try folder.grey("b/2.pgm", 2)
        let outside = try Scratch()
        let file = try outside.file(
            "secret.pgm", PictureScratch.pgm([UInt8](repeating: 3, count: 16)))
        try folder.link("b/inside.pgm", to: "../a/1.pgm")
        try folder.link("b/outside.pgm", to: file)
        try folder.link("b/nowhere.pgm", to: "missing")
        try folder.link("b/folder", to: "../a")
        try folder.link("b/loop", to: ".")
        #expect(mkfifo("\(folder.path)/b/pipe", 0o600) == 0)
        let samples = try folder.load { $0.mostBad = 0.9 }
        #expect(samples.learning.ids == ["a/1.pgm", "b/2.pgm", "b/inside.pgm"])
        #expect(
            Set(samples.warnings.map(folder.shortened)) == [
                "F/b/folder: not taken: found a link to something else than a file",
                "F/b/loop: not taken: found a link to something else than a file",
                "F/b/nowhere.pgm: not taken: found no such file",
                "F/b/outside.pgm: not taken: found a link that leaves the folder",
                "F/b/pipe: not taken: found neither a file nor a folder",
            ])
        // A class that is a link would be missing without much notice.
        try folder.link("c", to: outside.folder)
        #expect(
            said({ try folder.load() }, folder)
                == "F/c: not taken: found a link that leaves the folder")
    }

    @Test func linksOfATable() throws {
        let folder = try PictureScratch()
        try folder.grey("1.pgm", 1)
        try folder.link("up", to: "..")
        try folder.write(
            "labels.csv", "path,label\n1.pgm,a\nup/pictures/1.pgm,a\nup/x,a\n2.pgm,b\n")
        let samples = try folder.load { $0.mostBad = 0.9 }
        // By a way around, but inside.
        #expect(samples.learning.ids == ["1.pgm", "up/pictures/1.pgm"])
        #expect(samples.unread.map(\.path) == ["up/x", "2.pgm"])
    }

    // MARK: Pixels

    @Test func channels() throws {
        let folder = try PictureScratch()
        try folder.grey("a/1.pgm", 7, 7)
        #expect(try folder.load().learning.sampleShape == [1, 4, 4])
        try folder.write("b/2.ppm", Array("P6 1 1 255\n".utf8) + [1, 2, 3])
        let data = try folder.load().learning
        #expect(data.sampleShape == [3, 4, 4])
        #expect(pixels(data)[0] == [UInt8](repeating: 7, count: 48))
        #expect(
            pixels(data)[1] == [1, 2, 3].flatMap { [UInt8](repeating: $0, count: 16) })
        #expect(try pixels(folder.load { $0.channels = 1 }.learning)[1][0] == 2)
        try FileManager.default.removeItem(atPath: "\(folder.path)/b")
        #expect(try folder.load { $0.channels = 3 }.learning.sampleShape == [3, 4, 4])
    }

    @Test(.enabled(if: Picture.readsJPEGAndPNG)) func everyFormat() throws {
        let folder = try PictureScratch()
        let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../PicturesTests/Fixtures")
        // Their suffixes lie.
        for (name, file) in [
            ("a.png", "plain.jpg"), ("b.jpg", "rgb.png"), ("c.gif", "rgb.bmp"),
            ("d", "turned-6.jpg"),
        ] {
            try folder.write("x/\(name)", Array(Data(contentsOf: fixtures.appending(path: file))))
        }
        let samples = try folder.load()
        #expect(samples.learning.count == 4 && samples.learning.sampleShape == [3, 4, 4])
        #expect(samples.warnings.isEmpty)
        let turned = pixels(samples.learning)[3]
        #expect(pixels(try folder.load { $0.exif = .ignore }.learning)[3] != turned)
        #expect(pixels(try folder.load { $0.fit = .pad }.learning)[3] != turned)
        #expect(
            try folder.load {
                $0.maxPixels = 100
                $0.mostBad = 0.9
            }.learning.count == 1)
    }

    // MARK: Recipes

    private func options(_ json: String) throws -> DataOptions {
        try JSONDecoder().decode(
            DataOptions.self, from: Data(#"{"kind": "folder", "path": "p", \#(json)}"#.utf8))
    }

    @Test func recipes() throws {
        let one = try #require(try options(#""size": 32"#).source as? FolderSource)
        #expect(one.size == [32, 32] && one.channels == nil && one.resampling == .bilinear)
        let two = try #require(
            try options(#""size": [8, 9], "channels": 1"#).source as? FolderSource)
        #expect(two.size == [8, 9] && two.channels == 1)
    }

    @Test(arguments: [
        (#""channels": 1"#, "data: missing key \"data.size\""),
        (
            #""size": 0"#,
            "data.size: value out of range: found [0, 0], expected one number or [height, width], 1 to 1024"
        ),
        (
            #""size": 8, "channels": 2"#,
            "data.channels: value out of range: found 2, expected 1, 3 or auto"
        ),
        (
            #""size": 8, "channels": "rgb""#,
            "data.channels: value out of range: found rgb, expected 1, 3 or auto"
        ),
        (
            #""size": 8, "background": [0, 0, 256]"#,
            "data.background: value out of range: found [0, 0, 256], expected [red, green, blue], 0 to 255"
        ),
        (
            #""size": 8, "max-pixels": 0"#,
            "data.max-pixels: value out of range: found 0, expected 1 to 2147483648"
        ),
        (
            #""size": 8, "most-bad": 1.5"#,
            "data.most-bad: value out of range: found 1.5, expected a share, 0 to 1"
        ),
    ])
    func refusals(_ json: String, _ sentence: String) {
        #expect(failure { try options(json) } == sentence)
    }
}
