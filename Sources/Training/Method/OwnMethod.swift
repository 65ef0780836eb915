/// A method of the caller's own: one phase that trains towards an objective.
///
/// For a method with options that a recipe can name, write a type that conforms to `Method` instead.
public struct OwnMethod: Method {
    public static let name = "own"
    public static let summary = "an objective of the program's own"

    /// What reports call it.
    public let title: String
    /// To be raised where the objective comes to mean something else: runs of before are then not gone on
    /// with.
    public let version: Int
    /// What the objective reads, for the phase's identity; empty if nothing can be set.
    public let options: [String: Double]
    /// How many networks learn side by side.
    public let learners: Int
    private let make: @Sendable (PhaseContext) throws -> any Objective

    public init(
        _ title: String, version: Int = 1, options: [String: Double] = [:], learners: Int = 1,
        objective: @escaping @Sendable (PhaseContext) throws -> any Objective
    ) {
        precondition(learners > 0, "at least one network")
        self.title = title
        self.version = version
        self.options = options
        self.learners = learners
        make = objective
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case title, version, options, learners }

    public init(from decoder: any Decoder) throws {
        throw DecodingError.dataCorrupted(
            .init(
                codingPath: decoder.codingPath,
                debugDescription: "the program that has the objective"))
    }

    public static func == (a: OwnMethod, b: OwnMethod) -> Bool {
        (a.title, a.version, a.learners) == (b.title, b.version, b.learners)
            && a.options == b.options
    }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        let learner = plan.learner(.init())
        return [
            plan.phase(
                learners == 1 ? "student" : "peers", 0, Target(method: self),
                learners: Array(repeating: learner, count: learners))
        ]
    }

    struct Target: PhaseTarget {
        static let name = "own"
        var method: OwnMethod

        func encode(to encoder: any Encoder) throws { try method.encode(to: encoder) }
        func objective(_ phase: PhaseContext) throws -> any Objective { try method.make(phase) }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(title, forKey: .title)
        try values.encode(version, forKey: .version)
        try values.encode(options, forKey: .options)
        try values.encode(learners, forKey: .learners)
    }
}
