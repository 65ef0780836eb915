import Diagnostics
import Yams

/// Options of a method under a name: what its paper or code used for some data and noise.
///
///     method: {name: early-learning, preset: asymmetric}
///
/// Keys that stand beside `preset` win over its own.
public struct MethodPreset: Equatable, Sendable {
    /// The setting: `symmetric-0.8`, `cifar-100-symmetric`.
    public let name: String
    /// For which data, and who says so.
    public let source: String
    /// Keys and values as they stand in a recipe, in flow style: `lambda: 3, beta: 0.7`.
    public let options: String

    public init(_ name: String, _ options: String, source: String) {
        self.name = name
        self.options = options
        self.source = source
    }
}

extension Node {
    /// With the options of every preset under a key `method` in the place of its name, which stays.
    ///
    /// - Parameter place: key path of this node.
    func withPresets(
        _ methods: MethodRegistry, place: [String] = [], file: String
    ) throws(Problem) -> Node {
        switch self {
        case .mapping(let mapping):
            var pairs: [(Node, Node)] = []
            for (key, value) in mapping {
                let name = key.string ?? "?"
                let place = place + [name]
                var value = try value.withPresets(methods, place: place, file: file)
                if name == "method", case .mapping(let own) = value, let preset = own["preset"] {
                    value = try RecipeFile.merge(
                        value,
                        over: Node.preset(preset, of: own["name"]?.string, methods, place, file))
                }
                pairs.append((key, value))
            }
            return .mapping(.init(pairs, mapping.tag, mapping.style, mapping.mark))
        case .sequence(let sequence):
            var items: [Node] = []
            for (i, item) in sequence.enumerated() {
                items.append(try item.withPresets(methods, place: place + ["\(i)"], file: file))
            }
            return .sequence(.init(items, sequence.tag, sequence.style, sequence.mark))
        default: return self
        }
    }

    private static func preset(
        _ node: Node, of method: String?, _ methods: MethodRegistry, _ place: [String],
        _ file: String
    ) throws(Problem) -> Node {
        // An unknown method is refused where it is read.
        guard let method, let type = methods[method] else { return .mapping(.init([])) }
        guard let preset = type.presets.first(where: { $0.name == node.string }) else {
            throw .unknownPreset(
                node.string, of: method, known: type.presets.map(\.name),
                at: Problem.Place(
                    file: file,
                    detail: (node.mark.map { ["line \($0.line)"] } ?? [])
                        + [(place + ["preset"]).joined(separator: ".")]))
        }
        guard let options = try? Yams.compose(yaml: "{\(preset.options)}") else {
            preconditionFailure("the preset \(preset.name) of \(method) is no YAML")
        }
        return options.unmarked
    }
}

extension Problem {
    static func unknownPreset(
        _ name: String?, of method: String, known: [String], at place: Place
    ) -> Problem {
        Problem(
            .data, "unknown preset", at: place, found: "\"\(oneLine(name ?? "…", limit: 60))\"",
            expected: known.isEmpty
                ? "\(method) has none"
                : "one of those of \(method): \(known.joined(separator: ", "))")
    }
}
