import Diagnostics

/// The methods that recipes can name.
public struct MethodRegistry: Sendable {
    public let methods: [any Method.Type]

    /// One line for each.
    public static let standard = MethodRegistry([
        CrossEntropy.self,
        TruncatedLoss.self,
        Mixup.self,
        KnowledgeDistillation.self,
        SelfDistillation.self,
        MutualLearning.self,
        EarlyLearning.self,
        EarlyLearningPlus.self,
        SOP.self,
        NCOD.self,
        LEND.self,
        LCCN.self,
        PES.self,
        NMTune.self,
        CoTeaching.self,
        JoCoR.self,
        DivideMix.self,
        DLT.self,
        AdaptiveMixing.self,
        DataFree.self,
    ])

    public init(_ methods: [any Method.Type]) { self.methods = methods }

    public var names: [String] { methods.map { $0.name } }

    public subscript(name: String) -> (any Method.Type)? { methods.first { $0.name == name } }

    /// One line for each: name and summary.
    public var overview: String {
        methods.map { "  \($0.name): \($0.summary)" }.joined(separator: "\n")
    }

    /// These and further ones.
    public func adding(_ others: any Method.Type...) -> MethodRegistry {
        MethodRegistry(methods + others)
    }
}

/// Any method, as it stands in a recipe: `method: {name: …, …}`.
public struct AnyMethod: Codable, Equatable, Sendable {
    public var base: any Method
    /// Where its options come from, as the recipe says; those that stand beside it are the ones that count.
    public var preset: String?

    public init(_ base: any Method) { self.base = base }

    public var name: String { type(of: base).name }
    public var learnsFromData: Bool { type(of: base).learnsFromData }

    private enum Keys: String, CodingKey { case name, preset }

    public init(from decoder: any Decoder) throws {
        let registry = decoder.userInfo[.methods] as? MethodRegistry ?? .standard
        let name = try decoder.container(keyedBy: Keys.self).decode(String.self, forKey: .name)
        guard let type = registry[name] else {
            throw Problem.unknownMethod(name, known: registry.names)
        }
        preset = try decoder.container(keyedBy: Keys.self)
            .decodeIfPresent(String.self, forKey: .preset)
        base = try type.init(from: decoder)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(name, forKey: .name)
        try values.encodeIfPresent(preset, forKey: .preset)
        try base.encode(to: encoder)
    }

    public static func == (a: AnyMethod, b: AnyMethod) -> Bool {
        func isEqual<M: Method>(_ a: M) -> Bool { (b.base as? M) == a }
        return isEqual(a.base)
    }
}

extension CodingUserInfoKey {
    /// The registry that a recipe's method is looked up in; the standard one where a decoder has none.
    public static let methods = CodingUserInfoKey(rawValue: "limbeck.methods")!
}
