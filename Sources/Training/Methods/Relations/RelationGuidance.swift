import Diagnostics
import Distillation

/// Relation-guided representation learning, "RMDNet (reconstruction)": Che, Ye et al., "Relation Modeling
/// and Distillation for Learning with Noisy Labels", 2024, arXiv 2405.19606.
///
///     L = L_base + κ_t (L_E + ρ L_N)
///
/// with an edge loss between the relation graphs of a frozen encoder that learnt without labels and of the
/// student, and a node loss between their features. Enters: whatever the base learns from, and the
/// encoder's features. Learnt: the student, and φ where the two differ in dimension.
///
/// Of the paper the two modules, the two losses and their place beside the base's loss are known
/// [abstract and third-party summaries]. There is no public code, and the forms of the losses, κ, ρ
/// and the ramp are our reconstruction. Labels never enter the relation terms, except for `rows`.
public struct RelationGuidance: Codable, Equatable, Sendable {
    /// Which samples the relation terms pull.
    public enum Rows: String, Codable, Sendable, CaseIterable {
        /// All, with weight 1. The default.
        case all
        /// Each with the probability that its label is wrong, from a mixture of two normal
        /// distributions of the previous epoch's losses; 1 in the first epoch.
        case likelyWrong = "likely-wrong"
    }

    /// None: no edge term.
    public var edge: EdgeLoss?
    /// Whether the edge term takes the batch mean off the features of student and encoder, each its own. Then the
    /// cosines of features that all point into one corner, as those behind a ReLU do, tell samples apart. On the
    /// validation split of the digits with wrong labels it is as good at the selected epoch and better at the last.
    public var centre: Bool
    /// None: no node term.
    public var node: NodeLoss?
    /// κ ≥ 0. 1 in the reconstruction; .1 to 5 are worth a search.
    public var weight: Double
    /// ρ ≥ 0.
    public var nodeWeight: Double
    /// Epochs in which κ rises linearly from 0, at least 0. A student's features first have to mean
    /// something.
    public var ramp: Int
    public var rows: Rows

    public init(
        edge: EdgeLoss? = .softmax(), centre: Bool = true, node: NodeLoss? = .cosine,
        weight: Double = 1, nodeWeight: Double = 1, ramp: Int = 10, rows: Rows = .all
    ) {
        self.edge = edge
        self.centre = centre
        self.node = node
        self.weight = weight
        self.nodeWeight = nodeWeight
        self.ramp = ramp
        self.rows = rows
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case edge, centre, node, weight, ramp, rows
        case nodeWeight = "node-weight"
    }

    /// `edge: none` and `node: none` switch a term off.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        func isNone(_ key: CodingKeys) -> Bool {
            (try? values.decode(String.self, forKey: key)) == "none"
        }
        edge =
            isNone(.edge) ? nil : try values.decodeIfPresent(EdgeLoss.self, forKey: .edge) ?? edge
        node =
            isNone(.node) ? nil : try values.decodeIfPresent(NodeLoss.self, forKey: .node) ?? node
        centre = try values.decodeIfPresent(Bool.self, forKey: .centre) ?? centre
        weight = try values.decodeIfPresent(Double.self, forKey: .weight) ?? weight
        nodeWeight = try values.decodeIfPresent(Double.self, forKey: .nodeWeight) ?? nodeWeight
        ramp = try values.decodeIfPresent(Int.self, forKey: .ramp) ?? ramp
        rows = try values.decodeIfPresent(Rows.self, forKey: .rows) ?? rows
        for (key, value) in [(CodingKeys.weight, weight), (.nodeWeight, nodeWeight)]
        where !(value >= 0 && value.isFinite) {
            throw Problem.outOfRange(
                "relation.\(key.rawValue)", found: "\(value)", expected: "0 or more")
        }
        guard (0...100_000).contains(ramp) else {
            throw Problem.outOfRange("relation.ramp", found: "\(ramp)", expected: "0 to 100000")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        if let edge {
            try values.encode(edge, forKey: .edge)
        } else {
            try values.encode("none", forKey: .edge)
        }
        if let node {
            try values.encode(node, forKey: .node)
        } else {
            try values.encode("none", forKey: .node)
        }
        try values.encode(centre, forKey: .centre)
        try values.encode(weight, forKey: .weight)
        try values.encode(nodeWeight, forKey: .nodeWeight)
        try values.encode(ramp, forKey: .ramp)
        try values.encode(rows, forKey: .rows)
    }

    /// Whether anything is added to the base's loss.
    public var isOn: Bool {
        weight > 0 && (edge != nil || node != nil && nodeWeight > 0)
    }

    /// κ_t = κ min(1, t/ramp), t counted from 0: the first epoch of a ramp is the base's alone.
    public func weight(epoch: Int) -> Double {
        ramp == 0 ? weight : weight * min(1, Double(epoch) / Double(ramp))
    }

    var needsProjection: Bool { node != nil || edge?.needsProjection == true }
}
