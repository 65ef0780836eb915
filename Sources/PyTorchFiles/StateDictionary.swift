import Diagnostics
import SafeTensors

/// The dictionary of tensors among all that a file holds.
///
/// Every dictionary that can be reached through dictionaries, lists and tuples, and that holds at
/// least one tensor itself, is a candidate, and `part` can name it by the keys that lead to it. Without
/// `part`, in this order:
///
/// 1. the candidate whose path is made of customary keys (`state_dict`, `model`, …). One that holds
///    another such candidate is a checkpoint rather than a state dictionary, and yields to it;
/// 2. the only one that can be a network: not one with single numbers only (`best_acc`), and not
///    one of an optimizer or inside a list;
/// 3. the only one at all.
///
/// Else the user has to say which.
struct StateDictionary {
    let path: String
    let tensors: [(name: String, view: Int)]
    let ignored: [String]

    /// In order of preference.
    static let customary = [
        "state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights",
        "params", "module",
    ]
    /// What the outermost dictionary is called where others are called by their keys.
    static let outermost = "."
    private static let depthLimit = 32
    private static let shown = 100

    init(
        _ root: PickleValue, of machine: PickleMachine, file: String, part: String?
    ) throws(Problem) {
        if case .foreign(let number) = root { throw machine.refusal(ofForeign: number) }
        let found = Search(root, machine)
        let chosen = try Self.choice(found, root, machine, file, part)
        let steps = found.path(of: chosen)
        var tensors: [(name: String, view: Int)] = []
        var ignored: [String] = []
        for (key, value) in machine.dictionaries[chosen.node] {
            switch value {
            case .tensor(let view):
                guard case .text(let range) = key else { throw .unnamedTensor(file) }
                guard let name = machine.name(range) else {
                    throw .unusableName(file, at: range.lowerBound)
                }
                tensors.append((name, view))
            // It could be a tensor of a kind that is not read.
            case .foreign(let number): throw machine.refusal(ofForeign: number)
            default:
                if ignored.count < Self.shown {
                    ignored.append((steps + [machine.key(key) ?? "?"]).joined(separator: "."))
                }
            }
        }
        if let first = steps.first, case .dictionary(let top) = root {
            for (key, _) in machine.dictionaries[top] where ignored.count < Self.shown {
                if let name = machine.key(key), name != first { ignored.append(name) }
            }
        }
        (path, self.tensors, self.ignored) = (found.name(of: chosen), tensors, ignored)
    }

    private static func choice(
        _ found: Search, _ root: PickleValue, _ machine: PickleMachine, _ file: String,
        _ part: String?
    ) throws(Problem) -> Candidate {
        let candidates = found.candidates
        let modules = machine.foreign.indices.filter { machine.foreign[$0].isModule }
        if candidates.isEmpty {
            // What is not read may be what the user wants: say its name.
            if let number = modules.first ?? machine.foreign.indices.first {
                throw machine.refusal(ofForeign: number)
            }
            if case .dictionary = root { throw .noTensors(file) }
            throw .noStateDictionary(file)
        }
        let likely = candidates.filter { $0.canBeNetwork }
        // Those first that anybody may want.
        let names = (likely + candidates.filter { !$0.canBeNetwork }).prefix(20)
            .map { $0.place == 0 ? outermost : found.name(of: $0) }
        if let part {
            guard let chosen = found.candidate(named: part == outermost ? "" : part) else {
                throw .noPart(file, part, among: names)
            }
            return chosen
        }
        let usual = candidates.filter { $0.rank != nil }.sorted { $0.rank! < $1.rank! }
        if let best = usual.first {
            guard usual.count < 2 || usual[1].rank! > best.rank! else {
                throw .severalParts(file, names)
            }
            return best
        }
        // Where the network should be, or is as a whole, no other dictionary is taken for it.
        if let number = foreignUnderCustomaryKey(root, machine)
            ?? (likely.isEmpty ? modules.first : nil)
        {
            throw machine.refusal(ofForeign: number)
        }
        if likely.count == 1 { return likely[0] }
        if candidates.count == 1 { return candidates[0] }
        throw .severalParts(file, names)
    }

    private static func foreignUnderCustomaryKey(
        _ root: PickleValue, _ machine: PickleMachine
    ) -> Int? {
        guard case .dictionary(let top) = root else { return nil }
        for (key, value) in machine.dictionaries[top] {
            if case .foreign(let number) = value, let name = machine.key(key),
                customary.contains(name)
            {
                return number
            }
        }
        return nil
    }

    // MARK: Candidates

    private struct Candidate {
        var node: Int
        var place: Int
        /// Smaller is better; nil if the path is unusual, or if a better one lies inside.
        var rank: Int?
        var canBeNetwork: Bool
    }

    /// Breadth first; each container once, however many lead to it. Paths of more than 1,024 bytes
    /// lead nowhere. Names are put together only when somebody asks for them.
    private struct Search {
        private(set) var candidates: [Candidate] = []
        private var places: [Place] = []
        private let machine: PickleMachine

        private struct Place {
            var value: PickleValue
            var outer: Int?
            /// A text or a number; none for the outermost.
            var key = PickleValue.none
            /// Bytes of its name.
            var length = 0
            var rank: Int? = 0
            var isUsual = true
            /// The nearest candidate around it.
            var candidate: Int?
        }

        init(_ root: PickleValue, _ machine: PickleMachine) {
            self.machine = machine
            places = [Place(value: root)]
            var seenDictionaries: Set<Int> = []
            var seenSequences: Set<Int> = []
            var level = 0..<1
            for _ in 0...depthLimit where !level.isEmpty {
                for number in level {
                    if case .dictionary(let node) = places[number].value {
                        guard seenDictionaries.insert(node).inserted else { continue }
                        take(node, number)
                        for (key, value) in machine.dictionaries[node] where value.isContainer {
                            add(key, value, in: number)
                        }
                    } else if let node = places[number].value.sequence {
                        guard seenSequences.insert(node).inserted else { continue }
                        for (i, value) in machine.items[node].enumerated() where value.isContainer {
                            add(.int(i), value, in: number)
                        }
                    }
                }
                level = level.upperBound..<places.count
            }
        }

        /// The keys that lead to a candidate, outermost first.
        func path(of candidate: Candidate) -> [String] {
            var path: [String] = []
            var number = candidate.place
            while let outer = places[number].outer {
                path.append(machine.key(places[number].key) ?? "?")
                number = outer
            }
            return path.reversed()
        }

        func name(of candidate: Candidate) -> String {
            path(of: candidate).joined(separator: ".")
        }

        func candidate(named name: String) -> Candidate? {
            candidates.first {
                places[$0.place].length == name.utf8.count && self.name(of: $0) == name
            }
        }

        private mutating func take(_ node: Int, _ number: Int) {
            var hasTensor = false
            var hasMany = false
            for (_, value) in machine.dictionaries[node] {
                guard case .tensor(let tensor) = value else { continue }
                hasTensor = true
                if machine.tensors[tensor].count > 1 { hasMany = true }
            }
            guard hasTensor else { return }
            let place = places[number]
            // The outermost dictionary has no keys that could be customary.
            let rank = place.outer == nil ? nil : place.rank
            if rank != nil, let outer = place.candidate { candidates[outer].rank = nil }
            candidates.append(
                Candidate(
                    node: node, place: number, rank: rank, canBeNetwork: place.isUsual && hasMany))
            places[number].candidate = candidates.count - 1
        }

        private mutating func add(_ key: PickleValue, _ value: PickleValue, in number: Int) {
            let outer = places[number]
            let (bytes, isText): (Int, Bool)
            switch key {
            case .text(let range): (bytes, isText) = (range.count, true)
            case .int(let index): (bytes, isText) = ("\(index)".utf8.count, false)
            default: return
            }
            let length = outer.length + bytes + (outer.outer == nil ? 0 : 1)
            guard length <= NameRule.limit else { return }
            // Of long keys no text is made before somebody asks for it: there may be very many.
            let name = bytes > 32 ? "" : machine.key(key) ?? ""
            var place = Place(value: value, outer: number, key: key, length: length)
            place.rank = customary.firstIndex(of: name).flatMap { step in
                outer.rank.map { $0 + step + 1 }
            }
            let isOptimizers = ["optim", "sched", "lr_sched", "scaler"].contains {
                name.hasPrefix($0)
            }
            place.isUsual = outer.isUsual && isText && !isOptimizers
            place.candidate = outer.candidate
            places.append(place)
        }
    }
}

extension PickleValue {
    /// Whether a state dictionary can lie inside.
    fileprivate var isContainer: Bool {
        if case .dictionary = self { return true }
        return sequence != nil
    }
}

extension PickleMachine {
    /// A text that can be a tensor's name; nil for bytes that are no text or too long to be hashed.
    func name(_ range: Range<Int>) -> String? {
        guard range.count <= SafeTensorsFile.nameLimit,
            let text = String(validating: bytes(range), as: UTF8.self),
            SafeTensorsFile.isUsableName(text)
        else { return nil }
        return text
    }

    /// A key of a dictionary in words: text or a whole number.
    fileprivate func key(_ key: PickleValue) -> String? {
        switch key {
        case .text(let range): name(range)
        case .int(let number): "\(number)"
        default: nil
        }
    }
}
