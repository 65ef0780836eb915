import Diagnostics
import SafeTensors

/// A machine for the small part of Python's pickle language that state dictionaries are written in
/// (protocols 2 to 5; Python's `pickletools` describes every instruction).
///
/// It builds numbers, texts, tuples, lists, dictionaries, storages and tensors and nothing else:
/// every other instruction and every other name is refused by its name, before it has any effect.
/// There is nothing in here that could look up or call code. Work and memory are bounded by
/// `stepLimit` instructions, of which each makes at most one value.
struct PickleMachine {
    /// Instructions per pickle; a tensor takes about 35.
    static let stepLimit = 1_000_000
    /// A tensor may have at most this many dimensions.
    static let rankLimit = 64

    private(set) var items: [[PickleValue]] = []
    private(set) var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
    private(set) var storages: [PickleStorage] = []
    private(set) var tensors: [PickleTensor] = []

    /// Whether storages have the old form's sixth field.
    private let isLegacy: Bool
    private var reader: ByteReader
    private var stack: [PickleValue] = []
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    private var storageNumbers: [[UInt8]: Int] = [:]
    /// Where the instruction at hand begins.
    private var place = 0

    init(_ reader: ByteReader, isLegacy: Bool) {
        (self.reader, self.isLegacy) = (reader, isLegacy)
    }

    /// Where the bytes behind the pickle begin, once `run` is through.
    var end: Int { reader.at }

    func bytes(_ range: Range<Int>) -> ArraySlice<UInt8> { reader.bytes[range] }

    mutating func run() throws(Problem) -> PickleValue {
        for _ in 0..<Self.stepLimit {
            place = reader.at
            let code = try reader.integer(UInt8.self)
            if code == UInt8(ascii: ".") {
                let value = try pop()
                guard stack.isEmpty, marks.isEmpty else { throw damaged("values left at the end") }
                return value
            }
            if try scalar(code) { continue }
            if try container(code) { continue }
            if try remembered(code) { continue }
            throw .instruction(reader.file, reader.part, place, PickleInstruction.name(of: code))
        }
        throw .tooManySteps(reader.file, reader.part, Self.stepLimit)
    }

    // MARK: Instructions

    private mutating func scalar(_ code: UInt8) throws(Problem) -> Bool {
        switch code {
        case 0x80:
            let version = try reader.integer(UInt8.self)
            guard (2...5).contains(version) else {
                throw .protocolVersion(reader.file, reader.part, place, Int(version))
            }
        case 0x95: _ = try reader.take(8)  // a frame's length: the file's end is the bound here
        case UInt8(ascii: "N"): stack.append(.none)
        case 0x88: stack.append(.bool(true))
        case 0x89: stack.append(.bool(false))
        case UInt8(ascii: "K"): stack.append(.int(Int(try reader.integer(UInt8.self))))
        case UInt8(ascii: "M"): stack.append(.int(Int(try reader.integer(UInt16.self))))
        case UInt8(ascii: "J"): stack.append(.int(Int(try reader.integer(Int32.self))))
        case 0x8A: try long(Int(try reader.integer(UInt8.self)))
        case 0x8B: try long(Int(try reader.integer(Int32.self)))
        case UInt8(ascii: "G"):
            let bits = UInt64(bigEndian: try reader.integer(UInt64.self))
            stack.append(.float(Double(bitPattern: bits)))
        case 0x8C: try text(try reader.size(UInt8.self))
        case UInt8(ascii: "X"): try text(try reader.size(UInt32.self))
        case 0x8D: try text(try reader.size(UInt64.self))
        // Texts as Python 2 wrote them.
        case UInt8(ascii: "U"): try text(try reader.size(UInt8.self))
        case UInt8(ascii: "T"): try text(try reader.size(UInt32.self))
        case UInt8(ascii: "C"): try raw(try reader.size(UInt8.self))
        case UInt8(ascii: "B"): try raw(try reader.size(UInt32.self))
        case UInt8(ascii: "c"):
            let module = try reader.line()
            try global(module, try reader.line())
        case 0x93:
            guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
                throw damaged("STACK_GLOBAL without names")
            }
            try global(module, name)
        default: return false
        }
        return true
    }

    private mutating func container(_ code: UInt8) throws(Problem) -> Bool {
        switch code {
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: ")"): tuple([])
        case 0x85: tuple([try pop()])
        case 0x86:
            let b = try pop()
            tuple([try pop(), b])
        case 0x87:
            let (c, b) = (try pop(), try pop())
            tuple([try pop(), b, c])
        case UInt8(ascii: "t"): tuple(try popMarked())
        case UInt8(ascii: "]"): list([])
        case UInt8(ascii: "l"): list(try popMarked())
        case UInt8(ascii: "a"): try append([try pop()])
        case UInt8(ascii: "e"): try append(try popMarked())
        case UInt8(ascii: "}"): dictionary()
        case UInt8(ascii: "d"):
            let pairs = try popMarked()
            dictionary()
            try set(pairs)
        case UInt8(ascii: "s"):
            let value = try pop()
            try set([try pop(), value])
        case UInt8(ascii: "u"): try set(try popMarked())
        case UInt8(ascii: "R"): try reduce()
        case UInt8(ascii: "b"):
            // A state dictionary carries `_metadata` this way; it is dropped.
            let state = try pop()
            guard case .dictionary? = stack.last, case .dictionary = state else {
                throw .instruction(
                    reader.file, reader.part, place, "BUILD on something that is no dictionary")
            }
        case UInt8(ascii: "Q"): try persistent()
        default: return false
        }
        return true
    }

    private mutating func remembered(_ code: UInt8) throws(Problem) -> Bool {
        switch code {
        case UInt8(ascii: "q"): try remember(try reader.size(UInt8.self))
        case UInt8(ascii: "r"): try remember(try reader.size(UInt32.self))
        case 0x94: try remember(memo.count)
        case UInt8(ascii: "h"): try recall(try reader.size(UInt8.self))
        case UInt8(ascii: "j"): try recall(try reader.size(UInt32.self))
        default: return false
        }
        return true
    }

    // MARK: What they do

    private func damaged(_ what: String) -> Problem {
        .pickleDamaged(reader.file, reader.part, place, what)
    }

    private mutating func pop() throws(Problem) -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
            throw damaged("a value is missing")
        }
        return value
    }

    private mutating func popMarked() throws(Problem) -> [PickleValue] {
        guard let mark = marks.popLast() else { throw damaged("a mark is missing") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private mutating func long(_ count: Int) throws(Problem) {
        guard (0...8).contains(count) else { throw .hugeInteger(reader.file, reader.part, place) }
        let range = try reader.take(count)
        var value = count > 0 && reader.bytes[range.upperBound - 1] >= 0x80 ? -1 : 0
        for byte in reader.bytes[range].reversed() { value = value << 8 | Int(byte) }
        stack.append(.int(value))
    }

    private mutating func text(_ count: Int) throws(Problem) {
        stack.append(.text(try reader.take(count)))
    }

    private mutating func raw(_ count: Int) throws(Problem) {
        _ = try reader.take(count)
        stack.append(.opaque)
    }

    private mutating func global(_ module: Range<Int>, _ name: Range<Int>) throws(Problem) {
        let words = [module, name].map {
            String(decoding: reader.bytes[$0].prefix(200), as: UTF8.self)
        }
        let full = words.joined(separator: ".")
        guard module.count + name.count < 200, let known = PickleGlobal(full) else {
            throw .global(reader.file, reader.part, place, full)
        }
        stack.append(.global(known))
    }

    private mutating func tuple(_ values: [PickleValue]) {
        items.append(values)
        stack.append(.tuple(items.count - 1))
    }

    private mutating func list(_ values: [PickleValue]) {
        items.append(values)
        stack.append(.list(items.count - 1))
    }

    private mutating func dictionary() {
        dictionaries.append([])
        stack.append(.dictionary(dictionaries.count - 1))
    }

    private mutating func append(_ values: [PickleValue]) throws(Problem) {
        guard stack.count > marks.last ?? 0, case .list(let node)? = stack.last else {
            throw damaged("APPEND to something that is no list")
        }
        items[node] += values
    }

    private mutating func set(_ pairs: [PickleValue]) throws(Problem) {
        guard stack.count > marks.last ?? 0, case .dictionary(let node)? = stack.last,
            pairs.count.isMultiple(of: 2)
        else { throw damaged("SETITEM on something that is no dictionary") }
        for i in stride(from: 0, to: pairs.count, by: 2) {
            dictionaries[node].append((pairs[i], pairs[i + 1]))
        }
    }

    private mutating func remember(_ number: Int) throws(Problem) {
        guard stack.count > marks.last ?? 0, let value = stack.last else {
            throw damaged("a value is missing")
        }
        memo[number] = value
    }

    private mutating func recall(_ number: Int) throws(Problem) {
        guard let value = memo[number] else { throw damaged("nothing was remembered as \(number)") }
        stack.append(value)
    }

    // MARK: Storages and tensors

    private mutating func persistent() throws(Problem) {
        guard case .tuple(let node) = try pop() else { throw damaged("a storage without a tuple") }
        let fields = items[node]
        guard fields.count == (isLegacy ? 6 : 5), case .text(let kind) = fields[0],
            reader.bytes[kind].elementsEqual("storage".utf8),
            case .global(.storage(let dtype)) = fields[1], case .text(let keyRange) = fields[2],
            keyRange.count <= 256, case .int(let count) = fields[4],
            (0...1 << 48).contains(count)
        else { throw damaged("a storage that is not described as torch.save does it") }
        if isLegacy {
            guard case .none = fields[5] else { throw damaged("a storage that views another") }
        }
        let key = Array(reader.bytes[keyRange])
        if let known = storageNumbers[key] {
            guard storages[known].dtype == dtype, storages[known].count == count else {
                throw damaged("one storage described in two ways")
            }
            stack.append(.storage(known))
        } else {
            storages.append(PickleStorage(key: key, dtype: dtype, count: count))
            storageNumbers[key] = storages.count - 1
            stack.append(.storage(storages.count - 1))
        }
    }

    private mutating func reduce() throws(Problem) {
        guard case .tuple(let node) = try pop() else { throw damaged("REDUCE without arguments") }
        guard case .global(let name) = try pop() else {
            throw .instruction(reader.file, reader.part, place, "REDUCE of something unnamed")
        }
        let arguments = items[node]
        switch name {
        case .orderedDictionary:
            guard arguments.isEmpty else { throw damaged("an OrderedDict made from values") }
            dictionary()
        case .rebuildTensor: try tensor(arguments)
        case .rebuildParameter:
            guard arguments.count == 3, case .tensor = arguments[0] else {
                throw damaged("a parameter that holds no tensor")
            }
            stack.append(arguments[0])
        case .size:
            guard arguments.count == 1, case .tuple = arguments[0] else {
                throw damaged("a size without numbers")
            }
            stack.append(arguments[0])
        case .device: stack.append(.opaque)
        case .dtype, .storage: throw damaged("a call of something that is no function")
        }
    }

    /// `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, metadata)`.
    private mutating func tensor(_ fields: [PickleValue]) throws(Problem) {
        guard (6...7).contains(fields.count), case .storage(let number) = fields[0],
            case .int(let offset) = fields[1], let shape = integers(fields[2]),
            let strides = integers(fields[3]), case .dictionary(let hooks) = fields[5],
            dictionaries[hooks].isEmpty
        else { throw damaged("a tensor that is not described as torch.save does it") }
        if fields.count == 7 {
            // Conjugated or negated views: the numbers in the file would not be the tensor's.
            guard case .dictionary(let marks) = fields[6], dictionaries[marks].isEmpty else {
                throw damaged("a tensor that is a conjugated or negated view")
            }
        }
        guard shape.count <= Self.rankLimit else {
            throw damaged("a tensor of more than \(Self.rankLimit) dimensions")
        }
        let available = storages[number].count
        guard
            let tensor = PickleTensor(
                storage: number, available: available, offset: offset, shape: shape,
                strides: strides)
        else {
            throw .outside(reader.file, reader.part, place, shape, strides, offset, available)
        }
        tensors.append(tensor)
        stack.append(.tensor(tensors.count - 1))
    }

    private func integers(_ value: PickleValue) -> [Int]? {
        guard case .tuple(let node) = value, items[node].count <= 1024 else { return nil }
        var numbers: [Int] = []
        for item in items[node] {
            guard case .int(let number) = item else { return nil }
            numbers.append(number)
        }
        return numbers
    }
}
