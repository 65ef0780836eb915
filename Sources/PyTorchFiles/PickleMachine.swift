import Diagnostics
import SafeTensors

/// A machine for the part of Python's pickle language that checkpoints are written in (protocols 2 to
/// 5; Python's `pickletools` describes every instruction).
///
/// It builds numbers, texts, tuples, lists, dictionaries, storages and tensors and nothing else.
/// There is nothing in here that could look up or call code: whatever a pickle wants of a class or
/// a function that the machine does not know becomes a *foreign* value, which has a name and does
/// nothing. What is called with, put into or built from a foreign value is dropped. So arguments,
/// counters and numpy scalars beside a state dictionary are passed over, and `StateDictionary` refuses
/// foreign values where tensors are wanted, by their name.
///
/// Every instruction takes at least one byte of the file and makes at most one value, and there are
/// at most `stepLimit` of them: work and memory are bounded by both.
struct PickleMachine {
    /// Instructions per pickle; a tensor takes about 35.
    static let stepLimit = 5_000_000
    /// A tensor may have at most this many dimensions.
    static let rankLimit = 64

    /// A class or a function that the machine does not know.
    struct Foreign {
        let module: Range<Int>
        let name: Range<Int>
        /// Where the pickle mentions it.
        let place: Int
        /// Whether something built from it has the state of a `torch.nn.Module`.
        var isModule = false
    }

    private(set) var items: [[PickleValue]] = []
    var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
    var storages: [PickleStorage] = []
    var tensors: [PickleTensor] = []
    private(set) var foreign: [Foreign] = []

    /// Whether storages have the old form's sixth field.
    let isLegacy: Bool
    var reader: ByteReader
    var stack: [PickleValue] = []
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    var storageNumbers: [[UInt8]: Int] = [:]
    /// Where the instruction at hand begins.
    var place = 0
    private var steps = 0
    private let stepLimit: Int

    init(_ reader: ByteReader, isLegacy: Bool, stepLimit: Int = Self.stepLimit) {
        (self.reader, self.isLegacy, self.stepLimit) = (reader, isLegacy, stepLimit)
    }

    /// Where the bytes behind the pickle begin, once `run` is through.
    var end: Int { reader.at }

    func bytes(_ range: Range<Int>) -> ArraySlice<UInt8> { reader.bytes[range] }

    mutating func run() throws(Problem) -> PickleValue {
        while true {
            try spend(1)
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
            if try object(code) { continue }
            throw .instruction(reader.file, reader.part, place, PickleInstruction.name(of: code))
        }
    }

    /// Counts work; copying values counts like making them.
    mutating func spend(_ count: Int) throws(Problem) {
        steps += count
        guard steps <= stepLimit else {
            throw .tooManySteps(reader.file, reader.part, stepLimit)
        }
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
        case 0x8E, 0x96: try raw(try reader.size(UInt64.self))
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
        // Nobody asks for the elements of a set.
        case 0x8F: stack.append(.opaque)
        case 0x91:
            _ = try popMarked()
            stack.append(.opaque)
        case 0x90: try append(try popMarked())
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

    private mutating func object(_ code: UInt8) throws(Problem) -> Bool {
        switch code {
        case UInt8(ascii: "R"): try reduce()
        case UInt8(ascii: "b"): try build()
        // A foreign class stands for its own instances: it stays where it is.
        case 0x81:
            _ = try pop()
            try instance("NEWOBJ")
        case 0x92:
            _ = (try pop(), try pop())
            try instance("NEWOBJ_EX")
        case UInt8(ascii: "Q"): try persistent()
        case UInt8(ascii: "0"):
            // Python's own reader takes a mark away where no value lies on it.
            if stack.count == marks.last { marks.removeLast() } else { _ = try pop() }
        case UInt8(ascii: "1"): _ = try popMarked()
        case UInt8(ascii: "2"): stack.append(try top())
        default: return false
        }
        return true
    }

    // MARK: What they do

    func damaged(_ what: String) -> Problem {
        .pickleDamaged(reader.file, reader.part, place, what)
    }

    mutating func pop() throws(Problem) -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
            throw damaged("a value is missing")
        }
        return value
    }

    private func top() throws(Problem) -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.last else {
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
        let range = try reader.take(count)
        // No size and no stride is that large: a hash or a seed, which nobody looks at.
        guard count <= 8 else { return stack.append(.opaque) }
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
        if module.count + name.count < 60, let known = PickleGlobal(fullName(module, name)) {
            stack.append(.global(known))
        } else {
            foreign.append(Foreign(module: module, name: name, place: place))
            stack.append(.foreign(foreign.count - 1))
        }
    }

    private func fullName(_ module: Range<Int>, _ name: Range<Int>) -> String {
        [module, name].map { String(decoding: reader.bytes[$0].prefix(200), as: UTF8.self) }
            .joined(separator: ".")
    }

    /// `os.system`.
    func name(ofForeign number: Int) -> String {
        fullName(foreign[number].module, foreign[number].name)
    }

    /// The names of foreign values, each once, the first `limit`.
    func foreignNames(limit: Int) -> [String] {
        var names: [String] = []
        var seen: Set<[UInt8]> = []
        for value in foreign where names.count < limit {
            let full = [value.module, value.name].flatMap { reader.bytes[$0].prefix(200) + [46] }
            guard seen.insert(full).inserted else { continue }
            names.append(fullName(value.module, value.name))
        }
        return names
    }

    /// What is said where a foreign value stands in the place of tensors.
    func refusal(ofForeign number: Int) -> Problem {
        foreign[number].isModule
            ? .wholeModule(reader.file, name(ofForeign: number))
            : .global(reader.file, reader.part, foreign[number].place, name(ofForeign: number))
    }

    private mutating func instance(_ instruction: String) throws(Problem) {
        guard case .foreign? = stack.last, stack.count > marks.last ?? 0 else {
            throw .instruction(reader.file, reader.part, place, instruction)
        }
    }

    private mutating func build() throws(Problem) {
        let state = try pop()
        switch (try top(), state) {
        // A state dictionary carries `_metadata` this way; it is dropped.
        case (.dictionary, .dictionary): break
        case (.foreign(let number), .dictionary(let node)):
            // `torch.nn.Module` keeps its parts under these names, among the first.
            for (key, _) in dictionaries[node].prefix(32) {
                guard case .text(let range) = key else { continue }
                let word = reader.bytes[range]
                if word.elementsEqual("_parameters".utf8) || word.elementsEqual("_modules".utf8) {
                    foreign[number].isModule = true
                }
            }
        case (.foreign, _): break
        default:
            throw .instruction(
                reader.file, reader.part, place, "BUILD on something that is no dictionary")
        }
    }

    private mutating func tuple(_ values: [PickleValue]) {
        items.append(values)
        stack.append(.tuple(items.count - 1))
    }

    private mutating func list(_ values: [PickleValue]) {
        items.append(values)
        stack.append(.list(items.count - 1))
    }

    mutating func dictionary() {
        dictionaries.append([])
        stack.append(.dictionary(dictionaries.count - 1))
    }

    private mutating func append(_ values: [PickleValue]) throws(Problem) {
        switch try top() {
        case .list(let node): items[node] += values
        case .foreign, .opaque: break
        default: throw damaged("APPEND to something that is no list")
        }
    }

    private mutating func set(_ pairs: [PickleValue]) throws(Problem) {
        guard pairs.count.isMultiple(of: 2) else { throw damaged("a key without a value") }
        guard case .dictionary(let node) = try top() else {
            if case .foreign = try top() { return }
            throw damaged("SETITEM on something that is no dictionary")
        }
        for i in stride(from: 0, to: pairs.count, by: 2) {
            dictionaries[node].append((pairs[i], pairs[i + 1]))
        }
    }

    private mutating func remember(_ number: Int) throws(Problem) {
        memo[number] = try top()
    }

    private mutating func recall(_ number: Int) throws(Problem) {
        guard let value = memo[number] else { throw damaged("nothing was remembered as \(number)") }
        stack.append(value)
    }
}
