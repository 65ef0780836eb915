import Diagnostics
import SafeTensors

/// The dictionary of tensors among all that a file holds.
///
/// Every dictionary that can be reached through dictionaries by text keys, and that holds at least
/// one tensor itself, is a candidate. One candidate is taken; of several, the one whose path is
/// made of customary keys (`state_dict`, `model`, …); else the user has to say which.
struct StateDictionary {
    let path: String
    let tensors: [(name: String, view: Int)]
    let ignored: [String]

    /// In order of preference.
    static let customary = [
        "state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights",
        "params",
    ]
    private static let depthLimit = 4
    private static let shown = 100

    private struct Candidate {
        var path: [String]
        var node: Int
        var name: String { path.joined(separator: ".") }
        /// Smaller is better; nil if the path is unusual.
        var rank: Int? {
            var rank = 0
            for key in path {
                guard let place = StateDictionary.customary.firstIndex(of: key) else { return nil }
                rank += place + 1
            }
            return rank
        }
    }

    init(
        _ root: PickleValue, of machine: PickleMachine, file: String, part: String?
    ) throws(Problem) {
        guard case .dictionary(let top) = root else { throw .noStateDictionary(file) }
        let candidates = try Self.candidates(top, machine, file)
        let chosen = try Self.choice(among: candidates, file, part)
        var tensors: [(name: String, view: Int)] = []
        var ignored: [String] = []
        for (key, value) in machine.dictionaries[chosen.node] {
            let name = try Self.name(key, machine, file)
            if case .tensor(let view) = value {
                guard let name else { throw .unnamedTensor(file) }
                tensors.append((name, view))
            } else if ignored.count < Self.shown {
                ignored.append(Self.joined(chosen.path, name ?? "?"))
            }
        }
        if let first = chosen.path.first {
            for (key, _) in machine.dictionaries[top] where ignored.count < Self.shown {
                if let name = try Self.name(key, machine, file), name != first {
                    ignored.append(name)
                }
            }
        }
        (path, self.tensors, self.ignored) = (chosen.name, tensors, ignored)
    }

    /// Breadth first; each dictionary once, however many lead to it.
    private static func candidates(
        _ top: Int, _ machine: PickleMachine, _ file: String
    ) throws(Problem) -> [Candidate] {
        var found: [Candidate] = []
        var level = [Candidate(path: [], node: top)]
        var seen: Set<Int> = [top]
        for _ in 0...depthLimit {
            var next: [Candidate] = []
            for place in level {
                let pairs = machine.dictionaries[place.node]
                if pairs.contains(where: { if case .tensor = $0.value { true } else { false } }) {
                    found.append(place)
                    continue
                }
                for (key, value) in pairs {
                    guard case .dictionary(let node) = value, seen.insert(node).inserted,
                        let name = try name(key, machine, file)
                    else { continue }
                    next.append(Candidate(path: place.path + [name], node: node))
                }
            }
            level = next
        }
        return found
    }

    private static func choice(
        among candidates: [Candidate], _ file: String, _ part: String?
    ) throws(Problem) -> Candidate {
        guard !candidates.isEmpty else { throw .noTensors(file) }
        let names = candidates.prefix(20).map(\.name)
        if let part {
            guard let chosen = candidates.first(where: { $0.name == part }) else {
                throw .noPart(file, part, among: names)
            }
            return chosen
        }
        if candidates.count == 1 { return candidates[0] }
        let usual = candidates.filter { $0.rank != nil }.sorted { $0.rank! < $1.rank! }
        guard let best = usual.first, usual.count < 2 || usual[1].rank! > best.rank! else {
            throw .severalParts(file, names)
        }
        return best
    }

    private static func joined(_ path: [String], _ name: String) -> String {
        (path + [name]).joined(separator: ".")
    }

    /// A key as text; nil for other keys. Refuses names that are no text or too long to be hashed.
    private static func name(
        _ key: PickleValue, _ machine: PickleMachine, _ file: String
    ) throws(Problem) -> String? {
        guard case .text(let range) = key else { return nil }
        guard range.count <= SafeTensorsFile.nameLimit,
            let text = String(validating: machine.bytes(range), as: UTF8.self),
            SafeTensorsFile.isUsableName(text)
        else { throw .unusableName(file, at: range.lowerBound) }
        return text
    }
}
