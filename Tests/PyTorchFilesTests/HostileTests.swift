import Diagnostics
import Randomness
import Testing

@testable import PyTorchFiles

/// Pickles that want to run code, or to use up memory: each has its one sentence.
@Suite struct HostileTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var pickle: [UInt8]
        var sentence: String
        var testDescription: String { name }

        init(_ name: String, _ pickle: [UInt8], _ sentence: String) {
            (self.name, self.pickle, self.sentence) = (name, pickle, sentence)
        }
    }

    private static let resave =
        " (nothing of the file was executed; save it with torch.save(model.state_dict(), FILE))"

    /// Byte 40 is the pickle's first: 30 bytes of header and the name a/data.pkl.
    private static func instruction(_ at: Int, _ name: String) -> String {
        "x.pth, data.pkl, byte \(40 + at): an instruction that state dictionaries do not need: found \(name)"
            + resave
    }
    private static func global(_ at: Int, _ name: String) -> String {
        "x.pth, data.pkl, byte \(40 + at): a name that state dictionaries do not need: found \(name)"
            + resave
    }
    private static func senseless(_ at: Int, _ what: String) -> String {
        "x.pth, data.pkl, byte \(40 + at): pickle does not make sense: found \(what)"
    }

    private static let p = Pickle.self
    private static let dictionary = p.start + p.emptyDictionary

    static let cases: [Case] = [
        .init(
            "REDUCE of os.system", p.start + p.system + p.command + p.reduce + p.stop,
            global(2, "os.system")),
        .init(
            "builtins.eval", p.start + p.global("builtins", "eval") + p.stop,
            global(2, "builtins.eval")),
        .init(
            "a class of the user", p.start + p.global("models.resnet", "ResNet") + p.stop,
            global(2, "models.resnet.ResNet")),
        .init(
            "a harmless-looking neighbour",
            p.start + p.global("torch._utils", "_rebuild_tensor") + p.stop,
            global(2, "torch._utils._rebuild_tensor")),
        .init(
            "a name in two halves",
            p.start + p.global("torch", "_utils._rebuild_tensor_v3") + p.stop,
            global(2, "torch._utils._rebuild_tensor_v3")),
        .init(
            "STACK_GLOBAL", p.start + p.text("os") + p.text("system") + [0x93] + p.stop,
            global(20, "os.system")),
        .init(
            "STACK_GLOBAL of numbers", p.start + p.int(1) + p.int(2) + [0x93],
            senseless(22, "STACK_GLOBAL without names")),
        .init("INST", p.start + p.mark + Array("ios\nsystem\n".utf8), instruction(3, "INST")),
        .init("OBJ", p.start + p.mark + p.code("o"), instruction(3, "OBJ")),
        .init("NEWOBJ", p.start + p.emptyTuple + [0x81], instruction(3, "NEWOBJ")),
        .init(
            "NEWOBJ_EX", p.start + p.int(1) + p.emptyTuple + p.emptyDictionary + [0x92],
            instruction(14, "NEWOBJ_EX")),
        .init("NEWOBJ without arguments", p.start + [0x81], senseless(2, "a value is missing")),
        .init("EXT1", p.start + [0x82, 1], instruction(2, "EXT1")),
        .init("EXT2", p.start + [0x83, 1, 0], instruction(2, "EXT2")),
        .init("EXT4", p.start + [0x84, 1, 0, 0, 0], instruction(2, "EXT4")),
        .init("PERSID", p.start + p.code("P"), instruction(2, "PERSID")),
        .init("DUP", p.start + p.code("2"), senseless(2, "a value is missing")),
        .init("POP", p.start + p.code("0"), senseless(2, "a value is missing")),
        .init("POP_MARK", p.start + p.code("1"), senseless(2, "a mark is missing")),
        .init("text protocol", p.start + Array("I1\n".utf8), instruction(2, "INT")),
        .init("no instruction", p.start + [0xFF], instruction(2, "byte 0xff")),
        .init("FROZENSET", p.start + [0x91], senseless(2, "a mark is missing")),
        .init(
            "BYTEARRAY8", p.start + [0x96] + little(UInt64(1) << 40, 8),
            "x.pth, byte 51: file ends inside its data.pkl (was it copied to the end?)"),
        .init("NEXT_BUFFER", p.start + [0x97], instruction(2, "NEXT_BUFFER")),
        .init(
            "BUILD on a tuple", p.start + p.emptyTuple + p.emptyDictionary + p.build,
            instruction(4, "BUILD on something that is no dictionary")),
        .init(
            "BUILD with a function", dictionary + p.emptyTuple + p.build,
            instruction(4, "BUILD on something that is no dictionary")),
        .init(
            "REDUCE of a text", p.start + p.text("f") + p.emptyTuple + p.reduce,
            instruction(9, "REDUCE of something unnamed")),
        .init(
            "REDUCE of a type",
            p.start + p.global("torch", "FloatStorage") + p.emptyTuple + p.reduce,
            senseless(23, "a call of something that is no function")),
        .init(
            "OrderedDict of values",
            p.start + p.global("collections", "OrderedDict") + p.emptyList + p.none + p.append
                + p.tuple1 + p.reduce,
            senseless(31, "an OrderedDict made from something that is no list of pairs")),
        .init(
            "huge LONG4", p.start + [0x8B] + little(0x7FFF_FFFF, 4),
            "x.pth, byte 47: file ends inside its data.pkl (was it copied to the end?)"),
        .init(
            "negative LONG4", p.start + [0x8B] + little(-1, 4),
            "x.pth, byte 47: file ends inside its data.pkl (was it copied to the end?)"),
        .init(
            "huge text", p.start + p.code("X") + little(0xFFFF_FFFF, 4),
            "x.pth, byte 47: file ends inside its data.pkl (was it copied to the end?)"),
        .init(
            "text beyond all numbers", p.start + [0x8D] + little(UInt64.max, 8),
            "x.pth, byte 43: file ends inside its data.pkl (was it copied to the end?)"),
        .init(
            "protocol 0", [0x80, 0],
            "x.pth, data.pkl, byte 40: unknown pickle protocol: found 0, expected 2 to 5"),
        .init(
            "empty", [], "x.pth, byte 40: file ends inside its data.pkl (was it copied to the end?)"
        ),
        .init("nothing to return", p.start + p.stop, senseless(2, "a value is missing")),
        .init(
            "values left", p.start + p.none + p.none + p.stop,
            senseless(4, "values left at the end")),
        .init("mark missing", p.start + p.tuple, senseless(2, "a mark is missing")),
        .init(
            "popping below a mark", p.start + p.none + p.mark + p.tuple1,
            senseless(4, "a value is missing")),
        .init(
            "unknown memo", p.start + p.code("h") + [7], senseless(2, "nothing was remembered as 7")
        ),
        .init(
            "list that is none", p.start + p.none + p.none + p.append,
            senseless(4, "APPEND to something that is no list")),
        .init(
            "a module as storage",
            p.start + p.mark + p.text("module") + p.none + p.none + p.none + p.none + p.tuple
                + p.persistent,
            senseless(19, "a storage that is not described as torch.save does it")),
        .init(
            "bytes behind the end", dictionary + p.stop + p.none,
            senseless(4, "bytes behind the end")),
        .init(
            "no dictionary", p.start + p.none + p.stop,
            "x.pth: no state dictionary: expected a dictionary from names to tensors"),
        .init(
            "no tensors", dictionary + p.stop,
            "x.pth: no tensors in the file: expected a dictionary from names to tensors"),
        .init(
            "number as key", dictionary + p.int(1) + p.tensor([4], [1]) + p.set + p.stop,
            "x.pth: a tensor whose key is not a text"),
        .init(
            "a name twice",
            dictionary + p.text("w") + p.tensor([4], [1]) + p.set + p.text("w") + p.tensor([4], [1])
                + p.set + p.stop,
            #"x.pth: two tensors of one name: found "w""#),
        .init(
            "a name of another", p.file(p.tensor([4], [1]), name: "__metadata__"),
            "x.pth, byte 48: a key that cannot be a tensor's name: expected at most 1024 bytes of UTF-8"
        ),
        .init(
            "missing storage", p.file(p.tensor(key: "7", [4], [1])),
            "x.pth: numbers of a tensor are missing: found no entry data/7"),
        .init(
            "wrong storage", p.file(p.tensor(stored: 5, [4], [1])),
            "x.pth, storage 0: a storage has the wrong size: found 16 bytes, expected 20"),
    ]

    @Test(arguments: cases) func isRefused(_ hostile: Case) {
        #expect(refusal(Zip(pickle: hostile.pickle).bytes) == hostile.sentence)
    }

    /// Shapes, strides and offsets that leave the storage of four numbers.
    @Test(arguments: [
        ([5], [1], 0), ([4], [1], 1), ([2, 2], [3, 1], 0), ([4], [-1], 3), ([-4], [1], 0),
        ([4], [1], -1), ([Int.max], [1], 0), ([2], [Int.max], 0), ([2, 2], [Int.max, Int.max], 0),
        ([1 << 32, 1 << 32], [0, 0], 0), ([5], [0], 0), ([1], [1], 4), ([2, 2], [2], 0),
        ([0, Int.max], [1, 1], 0), ([0, 1 << 40, 1 << 40], [0, 0, 0], 0), ([0], [1], 5),
    ])
    func leavesItsStorage(_ shape: [Int], _ strides: [Int], _ offset: Int) throws {
        let bytes = Zip(pickle: Pickle.file(Pickle.tensor(offset: offset, shape, strides))).bytes
        let sentence = try #require(refusal(bytes))
        #expect(sentence.contains(": a tensor does not fit its storage: found shape "))
        #expect(sentence.hasSuffix("(expanded tensors have to be saved as .contiguous())"))
    }

    @Test func nestingIsNotRecursion() {
        let depth = 400_000
        let lists = [UInt8](repeating: UInt8(ascii: "]"), count: depth)
        let appends = [UInt8](repeating: UInt8(ascii: "a"), count: depth - 1)
        let deep = Pickle.start + lists + appends + Pickle.stop
        #expect(
            refusal(Zip(pickle: deep).bytes)
                == "x.pth: no state dictionary: expected a dictionary from names to tensors")
        let dictionaries = (0..<50_000).flatMap { _ in Pickle.emptyDictionary + Pickle.text("a") }
        let sets = [UInt8](repeating: UInt8(ascii: "s"), count: 50_000)
        #expect(
            refusal(
                Zip(pickle: Pickle.start + dictionaries + Pickle.none + sets + Pickle.stop).bytes)
                == "x.pth: no tensors in the file: expected a dictionary from names to tensors")
    }

    /// Sixty levels of (x, x), and dictionaries that hold the level below twice.
    @Test func billionLaughs() {
        var tuples = Pickle.start + Pickle.emptyTuple
        for i in 0..<60 {
            tuples += Pickle.code("q") + [UInt8(i)] + Pickle.code("h") + [UInt8(i), 0x86]
        }
        #expect(
            refusal(Zip(pickle: tuples + Pickle.stop).bytes)
                == "x.pth: no state dictionary: expected a dictionary from names to tensors")
        // Level i is {"a": level i − 1, "b": the same}.
        var laughs = Pickle.emptyDictionary + Pickle.code("q") + [0]
        for i in 1...60 {
            laughs = Pickle.emptyDictionary + Pickle.text("a") + laughs + Pickle.set
            laughs += Pickle.text("b") + Pickle.code("h") + [UInt8(i - 1)] + Pickle.set
            laughs += Pickle.code("q") + [UInt8(i)]
        }
        #expect(
            refusal(Zip(pickle: Pickle.start + laughs + Pickle.stop).bytes)
                == "x.pth: no tensors in the file: expected a dictionary from names to tensors")
        // A dictionary that holds itself.
        let loop =
            Pickle.start + Pickle.emptyDictionary + Pickle.code("q") + [0] + Pickle.text("a")
            + Pickle.code("h") + [0] + Pickle.set + Pickle.stop
        #expect(
            refusal(Zip(pickle: loop).bytes)
                == "x.pth: no tensors in the file: expected a dictionary from names to tensors")
    }

    @Test func workIsBounded() {
        let memo = [UInt8](repeating: 0x94, count: 1000)
        // Values that are copied count too: 600 pairs, made into a dictionary once more.
        let pair = Pickle.emptyTuple + Pickle.none + Pickle.code("2") + [0x86]
        let pairs =
            Pickle.global("collections", "OrderedDict") + Pickle.mark
            + pair.dropFirst() + (0..<300).flatMap { _ in Pickle.code("2") } + Pickle.code("l")
            + Pickle.tuple1
        for pickle in [Pickle.start + Pickle.none + memo, Pickle.start + pairs + Pickle.reduce] {
            let stop = pickle + Pickle.none + Pickle.stop
            let reader = ByteReader(stop, stop.indices, file: "x.pth", part: "data.pkl")
            var machine = PickleMachine(reader, isLegacy: false, stepLimit: 600)
            do throws(Problem) {
                _ = try machine.run()
                Issue.record("accepted")
            } catch {
                #expect(
                    error.description
                        == "x.pth, data.pkl: pickle too long: expected at most 600 instructions")
            }
        }
        let far = Pickle.code("r") + little(0xFFFF_FFFF, 4)
        #expect(
            refusal(Zip(pickle: Pickle.start + Pickle.none + far + Pickle.stop).bytes)
                == "x.pth: no state dictionary: expected a dictionary from names to tensors")
    }

    /// Many names for one storage would be a small file of endless tensors.
    @Test func sharingIsBounded() {
        let numbers = [UInt8](repeating: 0, count: 40_000)
        let one = Pickle.code("h") + [0]
        let first =
            Pickle.text("w") + Pickle.tensor(stored: 10_000, [10_000], [1])
            + Pickle.code("q") + [0] + Pickle.set
        let more = (0..<6).flatMap { Pickle.text("w\($0)") + one + Pickle.set }
        let pickle = Pickle.start + Pickle.emptyDictionary + first + more + Pickle.stop
        #expect(
            refusal(Zip(pickle: pickle, storages: [numbers]).bytes)
                == "x.pth: tensors share their numbers too often: expected at most 4 times the file's size in all"
        )
    }

    @Test func archives() {
        let good = Pickle.file(Pickle.tensor([4], [1]))
        #expect(refusal(Zip(pickle: good).bytes) == nil)
        func changed(_ change: (inout Zip) -> Void) -> String? {
            var zip = Zip(pickle: good)
            change(&zip)
            return refusal(zip.bytes)
        }
        #expect(
            changed { $0.method = 8 }
                == "x.pth, a/data.pkl: zip entry is compressed: expected stored bytes, as torch.save writes them"
        )
        #expect(changed { $0.flags = 1 } == "x.pth, a/data.pkl: zip entry is encrypted")
        #expect(
            changed { $0.entries.append($0.entries[0]) }
                == #"x.pth: zip archive has two entries of one name: found "a/data.pkl""#)
        #expect(
            changed { $0.entries.removeFirst() }
                == "x.pth: not an archive that torch.save wrote: found 0 entries NAME/data.pkl, expected one"
        )
        #expect(
            changed { $0.entries.append(("b/data.pkl", good)) }
                == "x.pth: not an archive that torch.save wrote: found 2 entries NAME/data.pkl, expected one"
        )
        #expect(
            changed { $0.entries.append(("a/byteorder", Array("big".utf8))) }
                == "x.pth: numbers are not little-endian")
        #expect(
            changed { $0.entries[1].content = Array("11\n".utf8) }
                == #"x.pth: unknown version of the format: found "11\n", expected 1 to 10 in a zip archive, 1001 in an older file"#
        )
        #expect(
            changed { $0.entries.append(("a/constants.pkl", good)) }
                == "x.pth: a TorchScript archive is a program, not a state dictionary (nothing of the file was executed; save it with torch.save(model.state_dict(), FILE))"
        )
        var damaged = Zip(pickle: good).bytes
        damaged[40 + good.count - 2] ^= 1
        #expect(
            refusal(damaged)
                == "x.pth, a/data.pkl: checksum does not match: the file is damaged")
        #expect(
            refusal([1, 2, 3])
                == "x.pth, byte 0: not a file that torch.save wrote: expected a zip archive, or the magic number of PyTorch before 1.6"
        )
    }
}
