import Diagnostics
import Testing

@testable import PyTorchFiles

/// Checkpoints as people write them: a state dictionary among whatever a training loop wanted to keep.
/// What is no tensor is passed over without being built; where it stands in the place of tensors, it is
/// refused by name.
@Suite struct CheckpointTests {
    private static let p = Pickle.self

    private static func dictionary(_ entries: (String, [UInt8])...) -> [UInt8] {
        p.emptyDictionary + entries.flatMap { p.text($0.0) + $0.1 + p.set }
    }
    private static func tensor(_ count: Int = 4) -> [UInt8] {
        count == 1 ? p.tensor([], []) : p.tensor([count], [1])
    }
    private static let network = dictionary(("w", tensor()))
    private static func file(_ root: [UInt8]) -> [UInt8] {
        Zip(pickle: p.start + root + p.stop).bytes
    }
    private static func call(_ module: String, _ name: String, _ arguments: [UInt8]) -> [UInt8] {
        p.global(module, name) + arguments + p.reduce
    }

    private func part(_ root: [UInt8], _ part: String? = nil) throws -> String {
        try PyTorchFile(bytes: Self.file(root), name: "x.pth", part: part).part
    }

    // MARK: Which dictionary

    @Test func aDictionaryBesideLooseTensors() throws {
        let root = Self.dictionary(
            ("model", Self.network), ("best_acc", Self.tensor(1)), ("epoch", Pickle.int(3)))
        let file = try PyTorchFile(bytes: Self.file(root), name: "x.pth")
        #expect(file.part == "model" && file.tensors.map(\.name) == ["w"])
        #expect(file.ignored == ["best_acc", "epoch"])
        #expect(try part(root, "model") == "model")
        let outer = try PyTorchFile(bytes: Self.file(root), name: "x.pth", part: ".")
        #expect(outer.part == "" && outer.tensors.map(\.name) == ["best_acc"])
        // Loose tensors of any size do not hide a customary key, and single numbers no other key.
        #expect(try part(Self.dictionary(("t", Self.tensor()), ("net", Self.network))) == "net")
        #expect(try part(Self.dictionary(("t", Self.tensor(1)), ("odd", Self.network))) == "odd")
        #expect(
            refusal(Self.file(Self.dictionary(("t", Self.tensor()), ("odd", Self.network))))
                == "x.pth: several parts of the file hold tensors (say which with --part: ., odd)")
        // A checkpoint inside a customary key.
        let inner = Self.dictionary(("acc", Self.tensor()), ("state_dict", Self.network))
        #expect(try part(Self.dictionary(("model", inner))) == "model.state_dict")
    }

    @Test func partReachesAnything() throws {
        let list = Pickle.emptyList + Self.network + Pickle.append + Self.network + Pickle.append
        let states = Pickle.emptyDictionary + Pickle.int(0) + Self.network + Pickle.set
        let deep = (0..<10).reduce(Self.network) { inner, _ in Self.dictionary(("a", inner)) }
        let root = Self.dictionary(
            ("w", Self.tensor()), ("ema.model", Self.network), ("list", list),
            ("optimizer", Self.dictionary(("state", states))), ("deep", deep),
            ("pair", list + Self.network + [0x86]))
        for name in [
            ".", "ema.model", "list.1", "optimizer.state.0",
            "deep" + String(repeating: ".a", count: 10),
            "pair.1", "pair.0.0",
        ] {
            #expect(try part(root, name) == (name == "." ? "" : name))
        }
        #expect(
            refusal(Self.file(root), part: "ema.modell")
                == #"x.pth: no such part with tensors: found "ema.modell" (did you mean "ema.model"?)"#
        )
        // An optimizer's state and lists are reached, but never taken for the network.
        let usual = Self.dictionary(
            ("weight", Self.tensor()), ("optimizer", Self.dictionary(("state", states))),
            ("history", list))
        #expect(try part(usual) == "")
        #expect(try part(Pickle.emptyList + Self.network + Pickle.append) == "0")
    }

    // MARK: What is passed over

    /// Values that stand beside the dictionary in real checkpoints, as Python's pickler writes them.
    static let beside: [(name: String, value: [UInt8])] = [
        ("collections.Counter", call("collections", "Counter", p.emptyDictionary + p.tuple1)),
        (
            "collections.defaultdict",
            call("collections", "defaultdict", p.global("builtins", "list") + p.tuple1)
                + p.text("k") + p.int(1) + p.set
        ),
        (
            "numpy.core.multiarray.scalar",
            call(
                "numpy.core.multiarray", "scalar",
                p.mark
                    + call("numpy", "dtype", p.mark + p.text("f8") + [0x89, 0x88] + p.tuple)
                    + p.mark + p.int(3) + p.text("<") + p.none + p.tuple + p.build
                    + call("_codecs", "encode", p.text("abcdefgh") + p.text("latin1") + [0x86])
                    + p.tuple)
        ),
        (
            "numpy._core.multiarray.scalar",
            p.text("numpy._core.multiarray") + p.text("scalar") + [0x93] + p.emptyTuple + p.reduce
        ),
        ("pathlib.PosixPath", call("pathlib", "PosixPath", p.text("runs") + p.tuple1)),
        (
            "argparse.Namespace",
            p.global("argparse", "Namespace") + p.emptyTuple + [0x81] + dictionary(("lr", p.int(1)))
                + p.build
        ),
        ("datetime.datetime", call("datetime", "datetime", p.code("C") + [2, 1, 2] + p.tuple1)),
        ("builtins.set", call("builtins", "set", p.emptyList + p.int(1) + p.append + p.tuple1)),
        (
            "collections.deque",
            call("collections", "deque", p.emptyTuple) + p.mark + p.int(1) + p.int(2) + p.code("e")
        ),
        ("torch.ComplexFloatStorage", p.tensor(type: "ComplexFloatStorage", stored: 2, [2], [1])),
        ("os.system", p.system + p.command + p.reduce),
        (
            "functools.partial",
            call("functools", "partial", p.system + p.tuple1) + p.command + p.reduce
        ),
        (
            "a.B",
            p.global("a", "B") + p.emptyTuple + p.emptyDictionary + [0x92] + p.none + p.build
                + p.emptyDictionary + p.build
        ),
    ]

    @Test(arguments: beside.map(\.name)) func passedOver(_ name: String) throws {
        let value = try #require(Self.beside.first { $0.name == name }).value
        let root = Self.dictionary(("x", value), ("state_dict", Self.network), ("y", value))
        let file = try PyTorchFile(bytes: Self.file(root), name: "x.pth")
        #expect(file.part == "state_dict" && file.ignored == ["x", "y"])
        #expect(file.skipped.contains(name))
        // In the place of tensors, and as the whole file, it is refused by its name.
        for root in [Self.dictionary(("w", Self.tensor()), ("v", value)), value] {
            let sentence = try #require(refusal(Self.file(root)))
            #expect(sentence.contains(": a name that state dictionaries do not need: found "))
            #expect(sentence.contains("nothing of the file was executed"))
        }
    }

    @Test func harmlessValues() throws {
        let values: [[UInt8]] = [
            // A set, a frozen set, bytes, an array of bytes, a number of 16 bytes.
            [0x8F] + Pickle.mark + Pickle.int(1) + [0x90], Pickle.mark + Pickle.int(1) + [0x91],
            [0x8E] + little(2, 8) + [1, 2], [0x96] + little(2, 8) + [1, 2],
            [0x8A, 16] + [UInt8](repeating: 7, count: 16),
            // POP, POP_MARK and DUP, which recursive tuples are written with.
            Pickle.none + Pickle.int(1) + Pickle.code("0"),
            Pickle.none + Pickle.mark + Pickle.int(1) + Pickle.code("1"),
            Pickle.none + Pickle.mark + Pickle.code("0"),
            Pickle.none + Pickle.code("2") + [0x86],
        ]
        for value in values {
            let root = Self.dictionary(("x", value), ("state_dict", Self.network))
            #expect(try part(root) == "state_dict")
        }
    }

    /// What Python 2 wrote: OrderedDict([[key, value], …]).
    @Test func orderedPairs() throws {
        let pair =
            Pickle.emptyList + Pickle.text("w") + Pickle.append + Self.tensor() + Pickle.append
        let root = Self.call(
            "collections", "OrderedDict", Pickle.emptyList + pair + Pickle.append + Pickle.tuple1)
        let file = try PyTorchFile(bytes: Self.file(root), name: "x.pth")
        #expect(file.tensors.map(\.name) == ["w"])
    }

    @Test func wholeModules() {
        let state = Self.dictionary(
            ("training", [0x88]), ("_parameters", Self.network), ("_modules", Self.network))
        let module = Pickle.global("models.resnet", "ResNet") + Pickle.emptyTuple + [0x81]
        let sentence =
            "x.pth: a whole network, which is a program, and not its state dictionary: found models.resnet.ResNet (nothing of the file was executed; save it in Python with torch.save(model.state_dict(), FILE))"
        #expect(refusal(Self.file(module + state + Pickle.build)) == sentence)
        #expect(
            refusal(
                Self.file(
                    Self.dictionary(("net", module + state + Pickle.build), ("acc", Pickle.int(3))))
            )
                == sentence)
    }

    /// The network is something that is not read: no other dictionary is taken in its place.
    @Test func noStandIns() {
        let foreign = Pickle.global("a", "Weights") + Pickle.emptyTuple + [0x81]
        let state = Pickle.emptyDictionary + Pickle.int(0) + Self.network + Pickle.set
        let module = foreign + Self.dictionary(("_modules", Self.network)) + Pickle.build
        for root in [
            Self.dictionary(("state_dict", foreign), ("ema", Self.network)),
            Self.dictionary(("whatever", module), ("optimizer", state)),
        ] {
            #expect(refusal(Self.file(root))?.contains("found a.Weights") == true)
        }
        let both = Self.dictionary(("model", Self.network), ("net", foreign))
        #expect(refusal(Self.file(both)) == nil)
    }

    /// Dictionaries inside one another, with a long key each: their paths lead nowhere.
    @Test func longPathsCostNothing() {
        let key = String(repeating: "k", count: 900)
        let root = (0..<200).reduce(Self.network) { inner, _ in Self.dictionary((key, inner)) }
        #expect(
            refusal(Self.file(root))
                == "x.pth: no tensors in the file: expected a dictionary from names to tensors")
    }
}
