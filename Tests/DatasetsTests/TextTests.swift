import Diagnostics
import Foundation
import Randomness
import Testing

@testable import Datasets

@Suite struct TextTests {
    private let table = """
        id,text,label,true
        1,"Not bad, ""really"" good
        on two lines",pos,pos
        2,,neg,neg
        3,ümlaut 😀,neg,pos

        """

    private func read(
        _ text: String, _ options: TableOptions = TableOptions(text: "text"),
        file: String = "t.csv"
    ) throws -> Dataset {
        try Table.dataset(Array(text.utf8), file: file, options: options, name: "d")
    }

    private func texts(_ data: Dataset) -> [String] {
        guard case .text(let list, _) = data.features else { return [] }
        return (0..<list.count).map { list[$0] }
    }

    @Test func columnsAndQuotes() throws {
        let data = try read(
            table, .init(label: "label", clean: "true", text: "text", length: 100))
        #expect(texts(data) == ["Not bad, \"really\" good\non two lines", "", "ümlaut 😀"])
        #expect(data.classNames == ["neg", "pos"])
        #expect(data.labels == [1, 0, 0] && data.clean == [1, 0, 1])
        #expect(data.sampleShape == [1, 100] && data.sampleSize == 100)
        #expect(data.columns == ["text"] && data.isText && !data.isImages)
        // The numbers beside the text do not count.
        let other = table.replacing("3,ü", with: "x,ü")
        #expect(
            try read(other, .init(label: "label", clean: "true", text: 1, length: 100)).sha256
                == data.sha256)
    }

    @Test func textsWithoutLabels() throws {
        let options = TableOptions(text: "text", length: 16)
        func list(_ text: String) throws -> [String] {
            texts(
                try Table.unlabelled(
                    Array(text.utf8), file: "t.csv", options: options, classNames: ["a", "b"]))
        }
        #expect(try list(table) == ["Not bad, \"really", "", "ümlaut 😀"])
        #expect(try list("text\nyes\n\"\"\nno\n") == ["yes", "", "no"])
        // A blank line in a table of one column is an empty text; those at the end are nothing.
        #expect(try list("text\nyes\n\nno\n\n\n") == ["yes", "", "no"])
        #expect(
            failure { try list("txt\nyes\n") }
                == "t.csv: column does not exist: found \"text\" (did you mean \"txt\"?)")
        #expect(
            failure { try read("text,l\na,b\n", .init(label: 0, text: "text")) }
                == "t.csv: column is asked for twice: found \"text\"")
    }

    /// Cut by characters, never inside of one.
    @Test func length() throws {
        let long = String(repeating: "é😀x", count: 10)
        let list = TextList([long, "", "é"], length: 16)
        #expect(list[0] == String(long.unicodeScalars.prefix(16).map(Character.init)))
        #expect(list[1] == "" && list[2] == "é")
        let read = try self.read("text,l\n\"\(long)\"\"\"\"\",a\n\"\"\"\"\"x\",b\n", .init(text: 0))
        #expect(texts(read) == [long + "\"\"", "\"\"x"])
    }

    @Test func withoutQuotes() throws {
        let options = TableOptions(text: 0, quotes: false)
        let text = "text\tl\n\"Well\" said\ta\nan 8\" disc\tb\n\"\tc\n"
        #expect(
            try texts(read(text, options, file: "t.tsv"))
                == ["\"Well\" said", "an 8\" disc", "\""])
        #expect(
            failure { try read("text\tl\nan 8\" disc\ta\n", .init(text: 0), file: "t.tsv") }
                == "t.tsv, line 2, byte 11: quote inside a cell without quotes "
                + "(put the whole cell in quotes and double the quotes inside)")
    }

    /// Batches hold what the standard library says the code points are.
    @Test func batchesOfCodePoints() throws {
        let samples = [
            "", "a", "é߿", "ࠀ\u{ffff}", "\u{10000}\u{10ffff}", "\0x\u{0}", "naïve 日本語 😀!",
        ]
        let data = try Dataset(
            name: "d", features: .text(TextList(samples, length: 20), column: "t"),
            labels: samples.map { _ in 0 }, classNames: ["a", "b"])
        let normalisation = try Normalisation.fit(data, members: [0, 1])
        #expect(normalisation == .none(for: data))
        let plan = try BatchPlan(
            data, members: [6, 0, 4, 2, 3, 5, 1], batchSize: 4, seed: 1,
            normalisation: normalisation, shuffled: false)
        for step in 0..<2 {
            let batch = plan.batch(epoch: 0, step: step)
            #expect(batch.shape == [batch.indices.count, 1, 20])
            let expected = batch.indices.flatMap { i in
                let codes = samples[i].unicodeScalars.map { Float($0.value) }
                return codes + [Float](repeating: 0, count: 20 - codes.count)
            }
            #expect(batch.features == expected)
            #expect(Prefetcher(plan, step: step, epochs: 1).next() == batch)
        }
        #expect(
            failure { try Augmentation(flip: true).check(sampleShape: [1, 20], name: "d") }
                == "d: crops and flips are for images: found text (augmentation.drop leaves out words)"
        )
        #expect(
            failure {
                try Dataset(
                    name: "d", features: .text(TextList(["a"], length: 20), column: "t"),
                    labels: [0, 1], classNames: ["a", "b"])
            } == "d: wrong number of texts: found 1, expected 2")
    }

    private func dataset(_ texts: [String], length: Int = 16) throws -> Dataset {
        try Dataset(
            name: "d", features: .text(TextList(texts, length: length), column: "t"),
            labels: texts.indices.map { $0 % 2 }, classNames: ["a", "b"])
    }

    @Test func identityAndDuplicates() throws {
        let data = try dataset(["ab", "c", "", "c", "", "abc"])
        #expect(data.firstOccurrences() == [0, 1, 2, 1, 2, 5])
        #expect(
            data.withoutDuplicates().features
                == .text(
                    TextList(["ab", "c", "", "abc"], length: 16), column: "t"))
        #expect(texts(data.subset([5, 2, 0])) == ["abc", "", "ab"])
        let hashes = Set([
            try dataset(["ab", "c"]).sha256, try dataset(["a", "bc"]).sha256,
            try dataset(["abc", ""]).sha256, try dataset(["ab", "c"], length: 17).sha256,
        ])
        #expect(hashes.count == 4)
        #expect(try dataset(["ab", "c"]).sha256 == data.subset([0, 1]).sha256)
        #expect(try dataset(["x", "c", ""]).indicesShared(with: data) == [1, 2])
        #expect(try dataset(["", ""]).firstOccurrences() == [0, 0])
    }

    @Test func splitsKeepEqualTextsTogether() throws {
        let data = try dataset((0..<200).map { "text \($0 / 4)" })
        let split = try Split.make(data, validation: 0.2, test: 0.2, seed: 1)
        for part in [split.train, split.validation, split.test] {
            #expect(Set(part.map { $0 / 4 }).count * 4 == part.count)
        }
    }

    /// Every cut and every changed byte of a good file gives texts or one problem, never a trap.
    @Test func mutations() throws {
        let good = Array(
            "id,text,l\r\n1,\"a \"\"b\"\", c\r\nd\",x\n2,é 😀,y\r3,,x\n4,\"\",y\n".utf8)
        var damaged = good.indices.map { Array(good[..<$0]) }
        for i in good.indices {
            for byte: UInt8 in [0, 9, 10, 13, 32, 34, 44, 0x2d, 0x80, 0xc3, 0xed, 0xf4, 0xff] {
                var changed = good
                changed[i] = byte
                damaged.append(changed)
                changed = good
                changed.insert(byte, at: i)
                damaged.append(changed)
            }
        }
        var draw = Draw(seed: 7, .tests)
        for _ in 0..<2000 {
            var changed = good
            for _ in 0..<1 + draw.below(6) {
                changed[draw.below(changed.count)] = UInt8(draw.below(256))
            }
            damaged.append(changed)
        }
        var read = 0
        for bytes in damaged {
            for quotes in [true, false] {
                let options = TableOptions(text: 1, length: 16, quotes: quotes)
                do throws(Problem) {
                    let data = try Table.dataset(bytes, file: "t", options: options, name: "d")
                    guard case .text(let list, _) = data.features else { return }
                    #expect(list.count == data.count && list.bytes.count <= bytes.count)
                    for i in 0..<list.count {
                        // What is stored is well-formed: decoding repairs nothing.
                        #expect(Array(list[i].utf8) == Array(list.bytes[list.range(i)]))
                        #expect(list[i].unicodeScalars.count <= 16)
                    }
                    let plan = try BatchPlan(
                        data, members: Array(0..<data.count), batchSize: 9, seed: 1)
                    #expect(
                        plan.batch(epoch: 0, step: 0).features.allSatisfy { 0...0x10ffff ~= $0 })
                    read += 1
                } catch {
                    #expect(error.kind == .data)
                    #expect(!error.description.contains("\n"))
                }
            }
        }
        #expect(read > 500)
    }

    /// A cell of 20 MB keeps no more than its first characters.
    @Test func hugeCells() throws {
        let huge = String(repeating: "x\"\"\n", count: 5_000_000)
        let data = try read("text,l\n\"\(huge)\",a\nb,b\n", .init(text: "text"))
        guard case .text(let list, _) = data.features else { return }
        #expect(list.bytes.count == 1024 + 1)
        #expect(texts(data)[0].hasPrefix("x\"\nx\""))
    }
}
