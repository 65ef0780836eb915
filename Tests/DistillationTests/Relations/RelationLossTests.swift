import Foundation
import TestSupport
import Testing
import Torch

@testable import Distillation

/// Every relation loss and its gradient against autograd through plain formulas
/// (scripts/fixtures/relations.py), and against numbers from elsewhere.
@Suite(.takesTurns) struct RelationLossTests {
    /// By name: the loss, and which of the fixture's tensors it is a function of.
    static let cases:
        [String: (of: String, loss: @Sendable (Tensor, FixtureFile) throws -> Tensor)] =
            {
                var cases:
                    [String: (of: String, loss: @Sendable (Tensor, FixtureFile) throws -> Tensor)] =
                        [:]
                func add(
                    _ name: String, of: String = "student", _ edge: EdgeLoss, centre: Bool = false
                ) {
                    let key = centre ? "centred-\(name)" : name
                    cases[key] = (
                        of,
                        { @Sendable (x: Tensor, file: FixtureFile) throws -> Tensor in
                            let logits = try file.tensor("logits")
                            let output = StudentOutput(
                                features: of == "logits" ? try file.tensor("student") : x,
                                logits: Logits(of == "logits" ? x : logits.to(x.dtype)))
                            let encoder = try file.tensor("encoder").to(x.dtype)
                            let input = RelationInput(output, encoder: encoder)
                            return edge(
                                centre ? input.centred : input,
                                queue: try file.tensor("queue").to(x.dtype))
                        }
                    )
                }
                // What is of distances has the same values around any centre.
                for (name, edge) in edges {
                    add(name, edge)
                    if name != "distance", name != "rkd" { add(name, edge, centre: true) }
                }
                for centre in [false, true] {
                    add("queue", of: "same", .queue(), centre: centre)
                    add(
                        "neighbours", of: "logits", .neighbours(count: 3, temperature: 1.5),
                        centre: centre)
                }
                for node in NodeLoss.allCases {
                    cases["node-\(node.rawValue)"] = (
                        "same",
                        { x, file in
                            let logits = Logits(try file.tensor("logits"))
                            return node(
                                RelationInput(
                                    StudentOutput(features: x, logits: logits),
                                    encoder: try file.tensor("encoder").to(x.dtype)))
                        }
                    )
                }
                return cases
            }()

    static let edges: [String: EdgeLoss] = [
        "softmax": .softmax(), "plain": .plain, "mse": .mse, "distance": .distance,
        "rkd": .rkd(), "sp": .similarity(), "cc": .correlation(), "pkt": .probabilistic(),
    ]

    static let names = cases.keys.sorted()

    @Test(arguments: names, [DType.float64, .float32])
    func fixture(_ name: String, _ dtype: DType) throws {
        try withNoLeaks {
            let file = try FixtureFile("relations", in: .module)
            let (of, loss) = Self.cases[name]!
            let x = try file.tensor(of).to(dtype)
            x.requiresGrad = true
            let values = try loss(x, file)
            values.mean().backward()
            let tolerance = dtype == .float64 ? 1e-10 : 2e-4
            try file.expect(values, is: "\(name).values", tolerance: tolerance)
            try file.expect(x.gradient, is: "\(name).gradient", tolerance: tolerance)
        }
    }

    @Test func theTableIsTheFixture() throws {
        let file = try FixtureFile("relations", in: .module)
        let names = file.names.filter {
            $0.hasSuffix(".values") && $0.split(separator: ".").count == 2
        }
        .map { String($0.dropLast(7)) }.filter { !$0.hasPrefix("sim") }
        #expect(names.sorted() == Self.names)
    }

    /// The closed form of the default edge loss's gradient, and a golden vector from elsewhere.
    @Test func edgeGradientInClosedForm() throws {
        try withNoLeaks {
            let file = try FixtureFile("relations", in: .module)
            let x = try file.tensor("student")
            x.requiresGrad = true
            edgeLoss(student: x, encoder: try file.tensor("encoder"), temperatures: (0.1, 0.2))
                .mean()
                .backward()
            try file.expect(x.gradient, is: "edge.closed", tolerance: 1e-12)
        }
    }

    static let goldenStudent = [
        -0.423, -0.08, -1.687, -1.447, -1.323, -0.997, 0.4, -0.905, -0.378, 1.299, -0.356, 0.738,
    ]
    static let goldenEncoder = [
        -0.934, -0.205, -0.95, -0.339, 0.84, -1.727, 0.434, 0.238, -0.594, -1.446, 0.072, -0.529,
        0.233, 0.022, 1.602, -0.239, -1.023, 0.179, 0.22, 1.359, 0.835, 0.357, 1.463, -1.189,
    ]

    @Test func goldenVector() throws {
        try withNoLeaks {
            let student = Tensor(Self.goldenStudent, [4, 3])
            student.requiresGrad = true
            let encoder = Tensor(Self.goldenEncoder, [4, 6])
            let loss = edgeLoss(student: student, encoder: encoder, temperatures: (0.1, 0.2)).mean()
            #expect(abs(loss.item - 1.8093104130148607) < 1e-12)
            // Central differences of the golden loss.
            loss.backward()
            let gradient = try #require(student.gradient).doubles()
            for i in 0..<12 {
                func shifted(_ h: Double) -> Double {
                    var x = Self.goldenStudent
                    x[i] += h
                    return edgeLoss(
                        student: Tensor(x, [4, 3]), encoder: encoder, temperatures: (0.1, 0.2)
                    ).mean().item
                }
                #expect(abs((shifted(1e-6) - shifted(-1e-6)) / 2e-6 - gradient[i]) < 1e-7)
            }
        }
    }

    /// Gradients of the centred losses by central differences.
    @Test(arguments: edges.keys.sorted()) func centredGradient(_ name: String) throws {
        try withNoLeaks {
            let encoder = Tensor(Self.goldenEncoder, [4, 6])
            func loss(_ x: Tensor) -> Tensor {
                let output = StudentOutput(features: x, logits: Logits(.zeros([4, 3])))
                return Self.edges[name]!(RelationInput(output, encoder: encoder).centred).mean()
            }
            let student = Tensor(Self.goldenStudent, [4, 3])
            student.requiresGrad = true
            loss(student).backward()
            let gradient = try #require(student.gradient).doubles()
            let scale = max(1, gradient.map(abs).max()!)
            for i in 0..<12 {
                func shifted(_ h: Double) -> Double {
                    var x = Self.goldenStudent
                    x[i] += h
                    return loss(Tensor(x, [4, 3])).item
                }
                let difference = (shifted(1e-6) - shifted(-1e-6)) / 2e-6
                #expect(abs(difference - gradient[i]) < 1e-7 * scale, "\(i)")
            }
        }
    }

    /// Centred, a common part of all features is nothing, on either side.
    @Test(arguments: edges.keys.sorted()) func centredLossesSeeNoCommonPart(_ name: String) throws {
        try withNoLeaks {
            let file = try FixtureFile("relations", in: .module)
            let (student, encoder) = (try file.tensor("student"), try file.tensor("encoder"))
            let logits = Logits(try file.tensor("logits"))
            func loss(_ a: Double, _ b: Double, centre: Bool) -> [Double] {
                let input = RelationInput(
                    StudentOutput(features: student + a, logits: logits), encoder: encoder + b)
                return Self.edges[name]!(centre ? input.centred : input).doubles()
            }
            let centred = loss(0, 0, centre: true)
            try expectClose(loss(9, 0, centre: true), centred, 1e-8)
            try expectClose(loss(0, -7, centre: true), centred, 1e-8)
            let seesNone = ["distance", "rkd"].contains(name)
            #expect((loss(0, 0, centre: false) == centred) == false || seesNone)
            if seesNone { try expectClose(loss(0, 0, centre: false), centred, 1e-8) }
        }
    }

    /// A graph compared with itself, in any scale, costs nothing; and no gradient reaches the encoder.
    @Test(arguments: edges.keys.sorted(), [false, true])
    func equalGraphs(_ name: String, _ centre: Bool) throws {
        try withNoLeaks {
            let file = try FixtureFile("relations", in: .module)
            let encoder = try file.tensor("encoder")
            encoder.requiresGrad = true
            let student = encoder.detached().cloned()
            student.requiresGrad = true
            let output = StudentOutput(features: student, logits: Logits(try file.tensor("logits")))
            let input = RelationInput(output, encoder: encoder)
            let edge = name == "softmax" ? .softmax(encoder: 0.2, student: 0.2) : Self.edges[name]!
            let values = edge(centre ? input.centred : input)
            try expectClose(values.doubles(), [Double](repeating: 0, count: 7), 1e-9)
            values.mean().backward()
            #expect(encoder.gradient == nil)
        }
    }

    /// One sample has no relations; equal samples have no directions: numbers all the same.
    @Test(arguments: names) func degenerateBatches(_ name: String) throws {
        try withNoLeaks {
            for rows in [1, 3] {
                let features = Tensor.zeros([rows, 4])
                features.requiresGrad = true
                let logits = Tensor.zeros([rows, 3])
                logits.requiresGrad = true
                let output = StudentOutput(features: features, logits: Logits(logits))
                let centre = name.hasPrefix("centred-")
                let plain = RelationInput(output, encoder: .zeros([rows, 4]))
                let input = centre ? plain.centred : plain
                let edges = Self.edges.merging(
                    ["queue": .queue(), "neighbours": .neighbours()], uniquingKeysWith: { $1 })
                let values =
                    edges[centre ? String(name.dropFirst(8)) : name]
                    .map { $0(input, queue: .zeros([0, 4])) }
                    ?? NodeLoss(rawValue: String(name.dropFirst(5)))!(input)
                #expect(values.shape == [rows])
                values.mean().backward()
                #expect(values.isFinite().all().item == 1, "\(name) \(rows)")
                #expect(features.gradient?.isFinite().all().item ?? 1 == 1, "\(name) \(rows)")
            }
        }
    }

    /// Rows that are all the same have no direction around their mean: no loss pulls at them, though the mean is
    /// rounded.
    @Test func equalRowsAreNotPulled() throws {
        try withNoLeaks {
            let row: [Float] = [0.1, 0.7, 1.3]
            let student = Tensor(Array(repeating: row, count: 7).flatMap(\.self), [7, 3])
            student.requiresGrad = true
            let output = StudentOutput(features: student, logits: Logits(.zeros([7, 3])))
            let encoder = values(2, [7, 5])
            EdgeLoss.softmax()(RelationInput(output, encoder: encoder).centred).mean().backward()
            let gradient = try #require(student.gradient)
            #expect(gradient.floats().allSatisfy { $0 == 0 })
        }
    }

    // MARK: Self-supervision

    @Test func simSiamStopsTheGradient() throws {
        try withNoLeaks {
            let file = try FixtureFile("relations", in: .module)
            let t = try ["p1", "p2", "v1", "v2"].map { try file.tensor("ssl.\($0)") }
            for tensor in t { tensor.requiresGrad = true }
            let values = simSiamLoss(predictions: (t[0], t[1]), projections: (t[2], t[3]))
            values.mean().backward()
            try file.expect(values, is: "simsiam.values", tolerance: 1e-12)
            try file.expect(t[0].gradient, is: "simsiam.p1", tolerance: 1e-12)
            try file.expect(t[1].gradient, is: "simsiam.p2", tolerance: 1e-12)
            #expect(t[2].gradient == nil && t[3].gradient == nil)
        }
    }

    @Test func simCLR() throws {
        try withNoLeaks {
            let file = try FixtureFile("relations", in: .module)
            let v = try ["v1", "v2"].map { try file.tensor("ssl.\($0)") }
            for tensor in v { tensor.requiresGrad = true }
            let values = simCLRLoss(projections: (v[0], v[1]), temperature: 0.5)
            values.mean().backward()
            try file.expect(values, is: "simclr.values", tolerance: 1e-12)
            try file.expect(v[0].gradient, is: "simclr.v1", tolerance: 1e-11)
            try file.expect(v[1].gradient, is: "simclr.v2", tolerance: 1e-11)
        }
    }

    /// Names, passes, running statistics and gradients of the heads are PyTorch's.
    @Test(arguments: SelfSupervision.allCases) func heads(_ kind: SelfSupervision) throws {
        try withNoLeaks {
            let file = try FixtureFile("relations", in: .module)
            let head = SelfSupervisionHead(
                kind, inputs: 4, dimension: 6, hidden: 2, generator: Generator(seed: 1))
            let prefix = "head.\(kind.rawValue)"
            var saved: [String: Tensor] = [:]
            for name in file.names where name.hasPrefix("\(prefix).before.") {
                saved[String(name.dropFirst(prefix.count + 8))] = try file.tensor(name)
            }
            try head.loadState(from: saved)
            let f = try ["f1", "f2"].map { try file.tensor("head.\($0)") }
            for tensor in f { tensor.requiresGrad = true }
            let (values, _) = head.loss(
                (f[0], f[1]), temperature: 0.5, mode: .train(Generator(seed: 1)))
            values.mean().backward()
            try file.expect(values, is: "\(prefix).values", tolerance: 1e-5)
            for i in 0..<2 {
                try expectClose(
                    f[i].gradient!, file.tensor("\(prefix).f\(i + 1)"), 1e-5, "f\(i + 1)")
            }
            for (name, tensor) in head.parameters {
                try expectClose(
                    try #require(tensor.gradient), file.tensor("\(prefix).gradient.\(name)"), 1e-5,
                    name)
            }
            for (name, tensor) in head.state {
                try expectClose(tensor, file.tensor("\(prefix).after.\(name)"), 1e-5, name)
            }
        }
    }

    /// Directions drawn evenly have an embedding std of about 1, equal ones of 0, two opposite ones of 1.
    @Test func embeddingStdTellsACollapse() throws {
        try withNoLeaks {
            let even = Tensor.empty([2000, 16])
            even.fillNormal(Generator(seed: 3))
            #expect(abs(embeddingStd(even).item - 1) < 0.02)
            #expect(embeddingStd(Tensor.ones([50, 16])).item < 1e-6)
            let opposite = Tensor((0..<8).map { $0 % 2 == 0 ? 1.0 : -1.0 }, [8, 1])
            #expect(abs(embeddingStd(opposite).item - 1) < 1e-12)
        }
    }

    // MARK: Parts

    @Test func twoGaussiansMeetTheFixture() throws {
        let (found, file): (TwoGaussians, FixtureFile) = try withNoLeaks {
            let file = try FixtureFile("relations", in: .module)
            return (
                TwoGaussians(try file.tensor("gmm.losses").doubles(), tolerance: 0, limit: 2000),
                file
            )
        }
        try withNoLeaks {
            for (name, values) in [
                ("means", found.means), ("variances", found.variances), ("weights", found.weights),
                ("lower", found.lower),
            ] {
                try expectClose(values, file.tensor("gmm.\(name)").doubles(), 1e-9, name)
            }
        }
        // The usual tolerance is close to it.
        let usual = try withNoLeaks { TwoGaussians(try file.tensor("gmm.losses").doubles()) }
        try expectClose(usual.lower, found.lower, 0.01)
        #expect(usual.iterations < 200)
    }

    @Test func twoGaussiansOfHardNumbers() {
        #expect(TwoGaussians([]).lower == [])
        #expect(TwoGaussians([3]).lower == [1])
        #expect(TwoGaussians([2, 2, 2]).lower == [1, 1, 1])
        let split = TwoGaussians([0, 0.01, 0.02, 5, 5.01, 4.99])
        #expect(split.lower.prefix(3).allSatisfy { $0 > 0.999 })
        #expect(split.lower.suffix(3).allSatisfy { $0 < 0.001 })
        #expect(TwoGaussians([0, 1e308, -1e308]).lower.count == 3)
    }

    /// Rows go in at the end and around; what was read earlier stays as it was.
    @Test func queueIsFirstInFirstOut() throws {
        try withNoLeaks {
            let queue = FeatureQueue(size: 5, dimension: 1, device: .cpu)
            func rows(_ values: Float...) -> Tensor { Tensor(values, [values.count, 1]) }
            #expect(queue.content.shape == [0, 1])
            queue.append(rows(1, 2, 3))
            let early = queue.content
            queue.append(rows(4, 5, 6))
            #expect(early.floats() == [1, 2, 3])
            #expect(queue.content.floats() == [6, 2, 3, 4, 5])
            queue.append(rows(7, 8, 9, 10, 11, 12))
            #expect(Set(queue.content.floats()) == [8, 9, 10, 11, 12])
        }
    }
}
