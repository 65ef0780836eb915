import Datasets
import Diagnostics
import Files
import Models
import Neural
import SafeTensors
import Torch

/// What part a sample has in a run. The numbers stand in files.
public enum SampleRole: Int, Codable, CaseIterable, Sendable {
    case training, validation, metaValidation, heldOut, test
}

/// Files of a phase, or of a run, with a row for each sample.
public enum SampleFiles {
    /// What the result says of samples that it did not learn from.
    public static let judged = "judged.safetensors"
    /// Features of every sample of the run.
    public static let features = "features.safetensors"
    /// How each training sample was predicted from epoch to epoch.
    public static let dynamics = "dynamics.safetensors"

    /// The tensor of [samples, classes] in a phase's `judged`; of the run's own one there is the first only.
    public static func logProbabilities(ema: Bool) -> String {
        ema ? "ema-log-probabilities" : "log-probabilities"
    }

    static let all = [judged, features, dynamics]

    /// The writer of a file whose rows are of these samples.
    ///
    /// - Parameter indices: in the data as read; those of the test role in its own test set, where it has one.
    static func writer(_ indices: [Int], _ roles: [SampleRole]) -> SafeTensorsWriter {
        var writer = SafeTensorsWriter(metadata: [
            "roles": SampleRole.allCases.map { "\($0.rawValue) \($0)" }.joined(separator: ", ")
        ])
        writer.add("index", ints: indices, shape: [indices.count])
        writer.add("role", ints: roles.map(\.rawValue), shape: [roles.count])
        return writer
    }
}

/// Rows of one of the ``SampleFiles``.
public struct SampleTable: Sendable {
    /// Where each sample is in the data as read, from 0; those of the role `test` in the data's own test set,
    /// where it has one.
    public let index: [Int]
    public let role: [SampleRole]
    private let file: SafeTensorsFile

    /// - Throws: for a file that cannot be read or is none of these.
    public init(_ path: String) throws(Problem) {
        file = try SafeTensorsFile(path: path)
        guard file["index"] != nil, file["role"] != nil else { throw .notASampleTable(path) }
        index = try file.ints(of: "index")
        role = try file.ints(of: "role").map { (value) throws(Problem) in
            guard let role = SampleRole(rawValue: value) else { throw .notASampleTable(path) }
            return role
        }
        guard index.count == role.count else { throw .notASampleTable(path) }
    }

    public var count: Int { index.count }

    /// Names of the tensors beside `index` and `role`.
    public var names: [String] {
        file.tensors.map(\.name).filter { $0 != "index" && $0 != "role" }
    }

    /// A value of each sample, or a row of `width` values.
    ///
    /// - Returns: row-major [samples × width].
    /// - Throws: if there is none of this name, or it has another number of rows.
    public func values(_ name: String) throws(Problem) -> (values: [Double], width: Int) {
        guard let entry = file[name], entry.shape.first == count else {
            throw .notASampleTable(file.name)
        }
        let values =
            entry.dtype == .i64
            ? try file.ints(of: name).map(Double.init) : try file.doubles(of: name)
        return (values, values.count / max(1, count))
    }
}

extension Problem {
    fileprivate static func notASampleTable(_ path: String) -> Problem {
        Problem(
            .data, "not a table of samples", at: .file(path),
            expected: "tensors index and role, and a row of each other one for every sample")
    }
}

// Files of a phase with a row for each sample.

extension PhaseTrainer {
    private func samples(_ roles: [SampleRole]) -> [(role: SampleRole, member: Int)] {
        roles.flatMap { role in
            let members =
                switch role {
                case .training: data.split.train
                case .validation: data.split.validation
                case .metaValidation: data.metaValidation
                case .heldOut: data.heldOut
                case .test: data.testMembers
                }
            return members.map { (role, $0) }
        }
    }

    private func writer(of samples: [(role: SampleRole, member: Int)]) -> SafeTensorsWriter {
        SampleFiles.writer(
            samples.map { data.index(ofMember: $0.member, $0.role) }, samples.map(\.role))
    }

    /// What a function of the inputs gives for samples of some roles, in their order.
    private func rows(_ roles: [SampleRole], _ body: @escaping (Tensor) -> Tensor) throws -> Tensor
    {
        Tensor.concatenated(
            try roles.compactMap { role in
                let members = samples([role]).map(\.member)
                guard !members.isEmpty else { return nil }
                let set = try EvaluationSet(
                    role == .test ? data.test : data.learning, members: members,
                    normalisation: data.normalisation, device: device)
                return try naming {
                    try set.finite(set.logits(body, precision: spec.compute.precision))
                }
            })
    }

    func writeDynamics() throws(Problem) {
        guard let summary = dynamics?.summary else { return }
        var writer = writer(of: samples([.training]))
        let rows = summary.margin.count
        writer.add("observations", ints: summary.observations, shape: [rows])
        for (name, values) in [
            ("margin", summary.margin), ("forgetting-events", summary.forgetting),
            ("given-predicted", summary.agreement),
            ("given-predicted-early", summary.earlyAgreement),
        ] { writer.add(name, floats: values.map(Float.init), shape: [rows]) }
        try writer.write(to: "\(folder)/\(SampleFiles.dynamics)", using: environment.files)
    }

    /// Predictions of the held-out and the test samples by the weights of the best epoch, and features of all.
    ///
    /// - Parameter best: the learner whose features are written.
    func writeJudged(best: Int) throws {
        guard spec.judges else { return }
        let roles: [SampleRole] = [.heldOut, .test]
        var writer = writer(of: samples(roles))
        func add(_ name: String, _ networks: [any Classifier]) throws {
            let logP = try networks.map { network in
                try rows(roles) { network($0, mode: .eval) }.logSoftmax()
            }
            let mean =
                logP.count == 1
                ? logP[0]
                : Tensor.stacked(logP.map { $0.exp() }).mean(0).clamped(1e-38, 1).log()
            writer.add(name, floats: mean.floats(), shape: mean.shape)
        }
        let keepsBest = spec.traits.keepsBest
        let own = learners.map { keepsBest ? $0.best(ema: false) : $0.network }
        try add(SampleFiles.logProbabilities(ema: false), own)
        if spec.training.ema > 0 {
            try add(
                SampleFiles.logProbabilities(ema: true),
                learners.map { keepsBest ? $0.best(ema: true) : $0.emaNetwork! })
        }
        try writer.write(to: "\(folder)/\(SampleFiles.judged)", using: environment.files)
        let features = try rows(SampleRole.allCases) { own[best].features($0, mode: .eval) }
        var all = self.writer(of: samples(SampleRole.allCases))
        all.add("features", floats: features.floats(), shape: features.shape)
        try all.write(to: "\(folder)/\(SampleFiles.features)", using: environment.files)
    }
}
