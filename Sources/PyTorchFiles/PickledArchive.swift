import Diagnostics
import Files

/// What both forms come to: a machine that has run, what it returned, and where in the file each of
/// its storages begins. Every storage lies in the file in full.
struct PickledArchive {
    let machine: PickleMachine
    let root: PickleValue
    let starts: [Int]

    init(machine: PickleMachine, root: PickleValue, starts: [Int]) {
        (self.machine, self.root, self.starts) = (machine, root, starts)
    }

    /// The zip form: `NAME/data.pkl`, `NAME/data/KEY` for each storage, `NAME/version`,
    /// `NAME/byteorder`.
    init(zip bytes: [UInt8], file: String) throws(Problem) {
        let zip = try ZipArchive(bytes, file: file)
        let suffix = Array("/data.pkl".utf8)
        let pickles = zip.entries.keys.filter {
            $0.reversed().starts(with: suffix.reversed())
                && !$0.dropLast(suffix.count).contains(UInt8(ascii: "/"))
        }
        guard pickles.count == 1 else { throw .noPickle(file, pickles.count) }
        let root = pickles[0].dropLast("data.pkl".utf8.count)
        let entry = { (name: String) in Array(root + Array(name.utf8)) }
        guard zip.entries[entry("constants.pkl")] == nil else { throw .torchScript(file) }
        if let range = try zip.content(entry("byteorder")) {
            guard bytes[range].elementsEqual("little".utf8) else { throw .bigEndian(file) }
        }
        if let range = try zip.content(entry("version")) {
            let text = String(decoding: bytes[range].prefix(20), as: UTF8.self)
            let number = Int(text.last == "\n" ? text.dropLast() : text[...])
            guard let number, (1...10).contains(number) else { throw .version(file, text) }
        }
        guard let range = try zip.content(pickles[0]) else { throw .noPickle(file, 0) }
        var machine = PickleMachine(
            ByteReader(bytes, range, file: file, part: "data.pkl"), isLegacy: false)
        let value = try machine.run()
        guard machine.end == range.upperBound else {
            throw .pickleDamaged(file, "data.pkl", machine.end, "bytes behind the end")
        }
        var starts: [Int] = []
        for storage in machine.storages {
            let key = String(decoding: storage.key, as: UTF8.self)
            guard let range = try zip.content(Array(root + Array("data/".utf8) + storage.key))
            else { throw .noStorage(file, key) }
            let size = storage.count * storage.dtype.size
            guard range.count == size else { throw .storageSize(file, key, range.count, size) }
            starts.append(range.lowerBound)
        }
        self.init(machine: machine, root: value, starts: starts)
    }
}

/// The form of before PyTorch 1.6: five pickles (magic number, version 1001, the writer's word sizes,
/// the dictionary, the keys of the storages), then for each key a count of 8 bytes and the elements.
enum PickleSequence {
    /// The pickles of 0x1950a86a20f9469cfc6c and of 1001, as every version wrote them.
    private static let magic: [UInt8] = [
        0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
        0x80, 2, 0x4D, 0xE9, 0x03, 0x2E,
    ]

    static func isOne(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic.prefix(15)) }

    static func read(_ bytes: [UInt8], file: String) throws(Problem) -> PickledArchive {
        guard bytes.starts(with: magic) else { throw .version(file, "another than 1001") }
        var at = magic.count
        func machine(_ part: String) -> PickleMachine {
            PickleMachine(
                ByteReader(bytes, at..<bytes.count, file: file, part: part), isLegacy: true)
        }
        var system = machine("system information")
        try checkOrder(try system.run(), of: system, file)
        at = system.end
        var main = machine("state dictionary")
        let root = try main.run()
        at = main.end
        var keys = machine("list of storages")
        guard case .list(let node) = try keys.run(), keys.items[node].count == main.storages.count
        else { throw .pickleDamaged(file, "list of storages", at, "not the storages' keys") }
        var reader = ByteReader(bytes, keys.end..<bytes.count, file: file, part: "storages")
        var found: [[UInt8]: Int] = [:]
        let sizes = Dictionary(
            main.storages.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        for item in keys.items[node] {
            guard case .text(let range) = item, case let key = Array(bytes[range]),
                let storage = sizes[key], found[key] == nil
            else { throw .pickleDamaged(file, "list of storages", at, "not the storages' keys") }
            let count = try reader.size(UInt64.self)
            guard count == storage.count else {
                throw .storageSize(
                    file, String(decoding: key, as: UTF8.self), count, storage.count,
                    unit: "elements")
            }
            found[key] = try reader.take(count * storage.dtype.size).lowerBound
        }
        guard reader.at == reader.end else { throw .trailing(file, reader.at) }
        return PickledArchive(
            machine: main, root: root, starts: main.storages.map { found[$0.key]! })
    }

    private static func checkOrder(
        _ value: PickleValue, of machine: PickleMachine, _ file: String
    ) throws(Problem) {
        guard case .dictionary(let node) = value else {
            throw .pickleDamaged(file, "system information", machine.end, "no dictionary")
        }
        for (key, value) in machine.dictionaries[node] {
            guard case .text(let range) = key,
                machine.bytes(range).elementsEqual("little_endian".utf8)
            else { continue }
            if case .bool(true) = value { return }
        }
        throw .bigEndian(file)
    }
}
