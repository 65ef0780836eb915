import Files
import Foundation
import Randomness
import Testing

@testable import SafeTensors

struct RandomTests {
    @Test func aThousandFilesComeBack() throws {
        var tensors = 0
        for trial in 0..<1000 {
            var draw = Draw(seed: 2, .tests, sample: trial)
            let random = RandomTensors(&draw)
            let bytes = try random.writer.encoded()
            let read = try SafeTensorsFile(bytes: bytes, name: "x")
            #expect(read.metadata == random.metadata)
            #expect(read.tensors.count == random.items.count)
            for item in random.items {
                let entry = try read.entry(item.name)
                #expect(entry.dtype == item.dtype)
                #expect(entry.shape == item.shape)
                #expect(try read.bytes(of: item.name).elementsEqual(item.bytes))
                // The header is padded and wide types come first, so all are aligned.
                #expect(entry.range.lowerBound % item.dtype.size == 0)
            }
            var backwards = random
            backwards.items.reverse()
            #expect(try backwards.writer.encoded() == bytes)
            tensors += random.items.count
        }
        #expect(tensors > 2500)
    }

    /// Files damaged at random are refused or, if still whole, keep every promise; none traps.
    @Test func damagedFilesNeverTrap() throws {
        let reference = try readFile(referencePath)
        var accepted = 0
        for trial in 0..<6000 {
            var draw = Draw(seed: 3, .tests, sample: trial)
            var bytes = reference
            if trial % 3 > 0 { bytes = try RandomTensors(&draw).writer.encoded() }
            for _ in 0...draw.below(3) { damage(&bytes, &draw) }
            if try examine(bytes) { accepted += 1 }
        }
        // Most damage is noticed, and some (in values, in free text) cannot be.
        #expect(accepted > 100)
        #expect(accepted < 3000)
    }

    private func damage(_ bytes: inout [UInt8], _ draw: inout Draw) {
        guard bytes.count > 8 else { return }
        let at = draw.below(bytes.count)
        switch draw.below(8) {
        case 0: bytes[at] ^= 1 << UInt8(draw.below(8))
        case 1: bytes[at] = UInt8(truncatingIfNeeded: draw.next())
        case 2: bytes.removeSubrange(at...)
        case 3: bytes.remove(at: at)
        case 4: bytes.insert(UInt8(truncatingIfNeeded: draw.next()), at: at)
        case 5: bytes.insert(contentsOf: bytes[at..<min(at + 40, bytes.count)], at: at)
        case 6:  // another digit or bracket in place of one: numbers and structure go wrong
            let marks = Array("0123456789[]{},:\"\\-.e".utf8)
            if let hit = bytes.indices.filter({ marks.contains(bytes[$0]) }).randomElement(
                using: &draw)
            {
                bytes[hit] = marks[draw.below(marks.count)]
            }
        default: bytes[draw.below(8)] = UInt8(truncatingIfNeeded: draw.next())
        }
    }

    /// What the fuzzer starts from, and what it found, is kept under Fuzz/corpus.
    @Test func theCorpusIsReplayed() throws {
        let corpus = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Fuzz/corpus/safetensors").standardizedFileURL.path
        let names = try FileManager.default.contentsOfDirectory(atPath: corpus).sorted()
        #expect(names.count >= 20)
        for name in names {
            let accepted = try examine(readFile(corpus + "/" + name))
            #expect(accepted == name.hasPrefix("good-"), "\(name)")
        }
    }
}
