import Diagnostics
import SafeTensors

// What the few functions that the machine knows make of their arguments.

extension PickleMachine {
    mutating func persistent() throws(Problem) {
        guard case .tuple(let node) = try pop() else { throw damaged("a storage without a tuple") }
        let fields = items[node]
        if fields.count > 1, case .foreign(let number) = fields[1] {
            // A storage of numbers that are not read, or the source text of a module's class. The old
            // form has the numbers of all storages behind one another, so that none can be left out.
            guard !isLegacy || isWord(fields[0], "module") else { throw refusal(ofForeign: number) }
            return stack.append(fields[1])
        }
        guard fields.count == (isLegacy ? 6 : 5), isWord(fields[0], "storage"),
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

    mutating func reduce() throws(Problem) {
        let given = try pop()
        let function = try pop()
        // Nothing is called: what a foreign function would return is as foreign.
        if case .foreign = function { return stack.append(function) }
        guard case .tuple(let node) = given else { throw damaged("REDUCE without arguments") }
        guard case .global(let name) = function else {
            throw .instruction(reader.file, reader.part, place, "REDUCE of something unnamed")
        }
        let arguments = items[node]
        switch name {
        case .orderedDictionary: try orderedDictionary(arguments)
        case .rebuildTensor: try tensor(arguments)
        case .rebuildParameter:
            if case .foreign? = arguments.first { return stack.append(arguments[0]) }
            guard (3...4).contains(arguments.count), case .tensor = arguments[0] else {
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

    /// `OrderedDict()`, or as Python 2 wrote it, `OrderedDict([[key, value], …])`.
    private mutating func orderedDictionary(_ arguments: [PickleValue]) throws(Problem) {
        guard let first = arguments.first else { return dictionary() }
        guard arguments.count == 1, case .list(let list) = first else {
            throw damaged("an OrderedDict made from something that is no list")
        }
        let pairs = items[list]
        try spend(pairs.count)
        var content: [(key: PickleValue, value: PickleValue)] = []
        for pair in pairs {
            guard let node = pair.sequence, items[node].count == 2 else {
                throw damaged("an OrderedDict made from something that is no list of pairs")
            }
            content.append((items[node][0], items[node][1]))
        }
        dictionary()
        dictionaries[dictionaries.count - 1] = content
    }

    private func isWord(_ value: PickleValue, _ word: String) -> Bool {
        guard case .text(let range) = value else { return false }
        return reader.bytes[range].elementsEqual(word.utf8)
    }

    /// `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, metadata)`.
    private mutating func tensor(_ fields: [PickleValue]) throws(Problem) {
        if case .foreign? = fields.first { return stack.append(fields[0]) }
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
