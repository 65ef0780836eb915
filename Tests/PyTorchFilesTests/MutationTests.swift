import Diagnostics
import Randomness
import Testing

@testable import PyTorchFiles

/// Damaged files are refused with a `Problem` or keep every promise; nothing traps.
@Suite struct MutationTests {
    private static let files = [
        "dtypes.pth", "dtypes-old.pth", "views.pth", "views-old.pth", "views-4.pth",
        "checkpoint.pth", "checkpoint-old.pth",
    ]

    /// No file is whole before its last byte.
    @Test(arguments: files) func everyCut(_ name: String) throws {
        let bytes = try fixture(name)
        #expect(try examine(bytes))
        for count in 0..<bytes.count {
            #expect(try examine(Array(bytes[..<count])) == false, "\(count) bytes")
        }
        #expect(try examine(bytes + [0]) == false)
    }

    @Test(arguments: files) func everyByteChanged(_ name: String) throws {
        let bytes = try fixture(name)
        for i in bytes.indices {
            var damaged = bytes
            damaged[i] ^= [0x01, 0x80, 0xFF][i % 3]
            _ = try examine(damaged)
        }
    }

    @Test(arguments: files) func randomMutations(_ name: String) throws {
        let bytes = try fixture(name)
        var draw = Draw(seed: 7, .tests)
        var accepted = 0
        for _ in 0..<400 {
            var damaged = bytes
            for _ in 0...draw.below(4) {
                let i = draw.below(damaged.count)
                switch draw.below(5) {
                case 0: damaged[i] = UInt8(draw.below(256))
                case 1: damaged[i] = [0, 1, 0x7F, 0x80, 0xFF][draw.below(5)]
                case 2: damaged.remove(at: i)
                case 3: damaged.insert(UInt8(draw.below(256)), at: i)
                default:
                    let length = min(1 + draw.below(16), damaged.count - i)
                    damaged.insert(contentsOf: damaged[i..<i + length], at: draw.below(i + 1))
                }
                if damaged.isEmpty { damaged = [0] }
            }
            if try examine(damaged) { accepted += 1 }
        }
        // The old form has no checksums: changed numbers are numbers.
        #expect(accepted < 400)
    }

    /// The pickle itself, with a checksum that fits: what a checksum would otherwise hide.
    @Test func mutatedPicklesInSoundArchives() throws {
        let inner =
            Pickle.emptyDictionary + Pickle.text("w") + Pickle.tensor([2, 2], [2, 1]) + Pickle.set
            + Pickle.text("b") + Pickle.tensor(key: "1", type: "BoolStorage", stored: 2, [2], [1])
            + Pickle.set
        let pickle =
            Pickle.start + Pickle.emptyDictionary + Pickle.text("state_dict") + inner + Pickle.set
            + Pickle.text("epoch") + Pickle.int(3) + Pickle.set + Pickle.stop
        let storages: [[UInt8]] = [[UInt8](repeating: 1, count: 16), [0, 1]]
        #expect(try examine(Zip(pickle: pickle, storages: storages).bytes))
        for count in 0..<pickle.count {
            let cut = Zip(pickle: Array(pickle[..<count]), storages: storages)
            #expect(try examine(cut.bytes) == false)
        }
        var draw = Draw(seed: 8, .tests)
        let words = Array("().]}(tRsubeaQcNXKMJGhjqrlod0".utf8) + Array(0x80...0x98)
        var accepted = 0
        for round in 0..<4000 {
            var damaged = pickle
            for _ in 0...draw.below(3) {
                let i = draw.below(damaged.count)
                switch draw.below(4) {
                case 0: damaged[i] = words[draw.below(words.count)]
                case 1: damaged[i] = UInt8(draw.below(256))
                case 2: damaged.remove(at: i)
                default: damaged.insert(words[draw.below(words.count)], at: i)
                }
            }
            if try examine(Zip(pickle: damaged, storages: storages).bytes) { accepted += 1 }
            if round == 3999 { #expect(accepted > 0 && accepted < 4000) }
        }
    }
}
