import Diagnostics
import Files
import SafeTensors

/// The tensors of a state dictionary that `torch.save` wrote, checked in full before any of them is
/// handed out.
///
///     let file = try PyTorchFile(path: "teacher.pth")
///     let weight = try file.bytes(of: "fc.weight")
///
/// Both forms of the format are read: the zip archive of PyTorch 1.6 and later, and the bare pickles
/// of earlier ones. The pickle is read by a machine that knows containers, numbers, texts and
/// tensors only (`PickleMachine`): nothing of the file is executed. Whatever else it asks for is
/// passed over where it stands beside the dictionary of tensors, and refused by name inside it.
///
/// The dictionary may lie inside others (`{"state_dict": …, "epoch": 3}`): `part` says which one
/// was taken (see `StateDictionary`). Several tensors may share a storage and look at it with any strides; `bytes` makes
/// each row-major. A tensor may not have more elements than its storage, and all of them together
/// not more than `shareLimit` times the file, so that memory stays a small multiple of the file.
/// Does not read: whole modules, TorchScript, quantised, sparse and complex tensors, big-endian files.
public struct PyTorchFile: Sendable {
    public enum Form: String, Sendable {
        case zip = "PyTorch zip archive"
        case pickles = "PyTorch file of before 1.6"
    }

    /// One tensor: what it is called and what its elements are.
    public struct Entry: Equatable, Sendable {
        public let name: String
        public let dtype: SafeTensorsFile.DType
        /// Sizes of the dimensions, outermost first; empty for a scalar.
        public let shape: [Int]
        /// Number of elements.
        public var count: Int { shape.reduce(1, *) }

        let view: Int
    }

    /// Bytes of all tensors together, as a multiple of the file's.
    static let shareLimit = 4
    private static let shown = 20

    /// What errors call the file: its path, as a rule.
    public let name: String
    public let form: Form
    /// Key path of the dictionary whose tensors these are, joined with full stops; empty if it is the
    /// outermost one, which users call by a full stop.
    public let part: String
    /// Keys of that dictionary that hold no tensor, and keys beside it: `epoch`, `optimizer`.
    public let ignored: [String]
    /// Python classes and functions that the file mentions and that were passed over, each once, the
    /// first few: `argparse.Namespace`. Nothing was built or called.
    public let skipped: [String]
    /// In the order of the dictionary.
    public let tensors: [Entry]

    private let content: [UInt8]
    private let views: [PickleTensor]
    /// Where each storage begins.
    private let starts: [Int]
    private let index: [String: Int]

    /// Whether the bytes begin as one of the two forms does.
    public static func isOne(_ bytes: [UInt8]) -> Bool {
        ZipArchive.isOne(bytes) || PickleSequence.isOne(bytes)
    }

    /// - Parameters:
    ///   - name: what errors call the file.
    ///   - part: key path of the dictionary to take, where there are several.
    /// - Throws: `Problem` of kind `.data` that names the byte, the instruction or the tensor.
    public init(bytes: [UInt8], name: String, part: String? = nil) throws(Problem) {
        let archive: PickledArchive
        let kind = FileKind(bytes)
        if let kind, !kind.canBePyTorch { throw .notPyTorch(name, kind) }
        if ZipArchive.isOne(bytes) {
            do throws(Problem) {
                (form, archive) = (.zip, try PickledArchive(zip: bytes, file: name))
            } catch {
                // The first entry is none of torch.save's: say so rather than what is amiss inside.
                if let kind, case .zip = kind { throw .notPyTorch(name, kind) }
                throw error
            }
        } else if PickleSequence.isOne(bytes) {
            (form, archive) = (.pickles, try PickleSequence.read(bytes, file: name))
        } else {
            throw .notPyTorch(name)
        }
        let machine = archive.machine
        let dictionary = try StateDictionary(archive.root, of: machine, file: name, part: part)
        (self.part, ignored) = (dictionary.path, dictionary.ignored)
        (views, starts) = (machine.tensors, archive.starts)
        skipped = machine.foreignNames(limit: Self.shown)
        var entries: [Entry] = []
        var numbers: [String: Int] = [:]
        var total = 0
        for (key, view) in dictionary.tensors {
            guard numbers.updateValue(entries.count, forKey: key) == nil else {
                throw .nameTwice(name, key)
            }
            let tensor = machine.tensors[view]
            let dtype = machine.storages[tensor.storage].dtype
            total += tensor.shape.contains(0) ? 0 : tensor.count * dtype.size
            // At most 2³² bytes each, and at most as many as there are instructions: no overflow.
            guard total / Self.shareLimit <= bytes.count else { throw .sharesTooMuch(name) }
            entries.append(Entry(name: key, dtype: dtype, shape: tensor.shape, view: view))
        }
        (tensors, index) = (entries, numbers)
        (self.name, content) = (name, bytes)
    }

    /// Reads and checks the file at `path`.
    ///
    /// - Parameter limit: files of more bytes are refused before they are read.
    /// - Throws: `Problem`: `.io` if it cannot be read, `.data` if it is not such a file.
    public init(path: String, part: String? = nil, limit: Int = 4 << 30) throws(Problem) {
        try self.init(bytes: readFile(path, limit: limit), name: path, part: part)
    }

    /// The tensor called `name`, or nil.
    public subscript(name: String) -> Entry? { index[name].map { tensors[$0] } }

    /// The elements of a tensor, row-major and little-endian.
    ///
    /// - Throws: `Problem` if there is no such tensor, or for a bool that is neither 0 nor 1.
    public func bytes(of name: String) throws(Problem) -> [UInt8] {
        guard let entry = self[name] else {
            throw .missingTensor(self.name, name, among: tensors.map(\.name))
        }
        let view = views[entry.view]
        let size = entry.dtype.size
        if entry.shape.contains(0) { return [] }
        let start = starts[view.storage] + view.offset * size
        let bytes =
            view.isContiguous
            ? Array(content[start..<start + view.count * size])
            : gathered(view, start: start, size: size)
        if entry.dtype == .bool, let odd = bytes.firstIndex(where: { $0 > 1 }) {
            throw .notBoolean(self.name, name, element: odd, bytes[odd])
        }
        return bytes
    }

    /// The elements of a strided view, one after the other.
    private func gathered(_ view: PickleTensor, start: Int, size: Int) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(view.count * size)
        var place = [Int](repeating: 0, count: view.shape.count)
        var at = start
        for _ in 0..<view.count {
            out += content[at..<at + size]
            var k = view.shape.count - 1
            while k >= 0 {
                place[k] += 1
                at += view.strides[k] * size
                if place[k] < view.shape[k] { break }
                at -= view.strides[k] * size * view.shape[k]
                place[k] = 0
                k -= 1
            }
        }
        return out
    }
}
