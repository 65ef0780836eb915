import Diagnostics
import Foundation
import Testing

@testable import Datasets

struct NoiseRecipeTests {
    func decode(_ json: String) throws -> LabelNoise {
        try JSONDecoder().decode(LabelNoise.self, from: Data(json.utf8))
    }

    @Test func readsTheKeysOfARecipe() throws {
        #expect(try decode(#"{"kind":"none"}"#) == LabelNoise(.clean))
        #expect(
            try decode(#"{"kind":"asymmetric","rate":0.4,"map":"fashion-mnist","seed":3}"#)
                == LabelNoise(.asymmetric, rate: 0.4, map: .fashionMNIST, seed: 3))
        #expect(
            try decode(#"{"kind":"asymmetric","rate":0.4,"map":{"truck":"automobile","2":0}}"#)
                == LabelNoise(
                    .asymmetric, rate: 0.4, map: .explicit(["truck": "automobile", "2": "0"])))
        #expect(
            try decode(#"{"kind":"matrix","matrix":[[1,0],[0.5,0.5]]}"#)
                == LabelNoise(.matrix, matrix: [[1, 0], [0.5, 0.5]]))
        #expect(
            try decode(#"{"kind":"file","path":"a.csv"}"#) == LabelNoise(.file, path: "a.csv"))
    }

    @Test func kindsAreCalled() {
        #expect(
            LabelNoise.Kind.allCases.map(\.rawValue) == [
                "none", "symmetric", "symmetric-inclusive", "pairflip", "asymmetric",
                "asymmetric-global", "asymmetric-elr-inplace", "instance", "instance-shared",
                "matrix", "human-cifar10n-worst", "file",
            ])
        #expect(
            LabelNoise.CodingKeys.allCases.map(\.rawValue) == [
                "kind", "rate", "map", "matrix", "path", "seed",
            ])
    }

    @Test func roundTrip() throws {
        let maps: [LabelNoise.Map?] =
            [nil, .explicit(["a": "1", "2": "b"])] + LabelNoise.Map.named.map(\.map)
        for kind in LabelNoise.Kind.allCases {
            for map in maps {
                let noise = LabelNoise(
                    kind, rate: 0.3, map: map, matrix: [[0.5, 0.5], [0, 1]], path: "x", seed: .max)
                let data = try JSONEncoder().encode(noise)
                #expect(try JSONDecoder().decode(LabelNoise.self, from: data) == noise)
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let noise = LabelNoise(.asymmetric, rate: 0.5, map: .explicit(["a": "1"]))
        #expect(
            String(decoding: try encoder.encode(noise), as: UTF8.self)
                == #"{"kind":"asymmetric","map":{"a":1},"rate":0.5}"#)
    }

    @Test(arguments: [
        (
            #"{"kind":"symetric"}"#,
            "noise.kind: unknown kind of label noise: found \"symetric\" (did you mean "
                + "\"symmetric\"?)"
        ),
        (
            #"{"kind":"asymmetric","map":"cifar"}"#,
            "noise.map: unknown map: found \"cifar\" (one of: cifar10, cifar100-superclass, "
                + "cifar100-blocks, mnist, fashion-mnist, or pairs such as {truck: automobile})"
        ),
    ])
    func unknownWords(_ json: String, _ sentence: String) throws {
        let error = #expect(throws: DecodingError.self) { try decode(json) }
        guard case .dataCorrupted(let context) = error else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
        #expect(context.codingPath.count == 1)
        #expect((context.underlyingError as? Problem)?.description == sentence)
    }

    static let needsRate = "noise.rate: missing: kind symmetric needs it"
    static let refused: [(LabelNoise, Int, String)] = [
        (LabelNoise(.symmetric), 10, needsRate),
        (
            LabelNoise(.symmetric, rate: 1.5), 10,
            "noise.rate: rate out of range: found 1.5, expected 0...1"
        ),
        (
            LabelNoise(.pairflip, rate: -0.1), 10,
            "noise.rate: rate out of range: found -0.1, expected 0...1"
        ),
        (
            LabelNoise(.instance, rate: .nan), 10,
            "noise.rate: rate out of range: found nan, expected 0...1"
        ),
        (LabelNoise(.symmetric, rate: 0.2), 1, "noise.kind: symmetric needs at least two classes"),
        (LabelNoise(.pairflip, rate: 0.2), 0, "noise.kind: pairflip needs at least two classes"),
        (
            LabelNoise(.symmetric, rate: 0.2), 5000,
            "noise.kind: too many classes for a transition matrix: found 5000, expected at most "
                + "4096"
        ),
        (
            LabelNoise(.symmetric, rate: 0.2, path: "a.csv"), 10,
            "noise.path: has no meaning for kind symmetric (remove it)"
        ),
        (
            LabelNoise(.humanCIFAR10NWorst, rate: 0.4), 10,
            "noise.rate: has no meaning for kind human-cifar10n-worst (remove it)"
        ),
        (
            LabelNoise(.humanCIFAR10NWorst), 100,
            "noise.kind: human-cifar10n-worst belongs to CIFAR-10: found 100 classes, expected 10"
        ),
        (
            LabelNoise(.asymmetric, rate: 0.4, map: .cifar10), 100,
            "noise.map: cifar10 does not fit the data: found 100 classes, expected 10"
        ),
        (
            LabelNoise(.asymmetricGlobal, rate: 0.4, map: .cifar100Superclass), 10,
            "noise.map: cifar100-superclass does not fit the data: found 10 classes, expected 100"
        ),
        (
            LabelNoise(.asymmetricInPlace, rate: 0.4), 10,
            "noise.map: missing: kind asymmetric-elr-inplace needs it: expected one of cifar10, "
                + "cifar100-superclass, cifar100-blocks, mnist, fashion-mnist, or pairs such as "
                + "{truck: automobile}"
        ),
        (LabelNoise(.file), 10, "noise.path: missing: kind file needs it"),
        (LabelNoise(.matrix), 2, "noise.matrix: missing: kind matrix needs it"),
        (
            LabelNoise(.matrix, matrix: [[1, 0]]), 2,
            "noise.matrix: wrong number of rows: found 1, expected 2"
        ),
        (
            LabelNoise(.matrix, matrix: [[1, 0], [1]]), 2,
            "noise.matrix[1]: wrong number of columns: found 1, expected 2"
        ),
        (
            LabelNoise(.matrix, matrix: [[1, 0], [1.25, -0.25]]), 2,
            "noise.matrix[1][1]: not a probability: found -0.25, expected 0...1"
        ),
        (
            LabelNoise(.matrix, matrix: [[.nan, 0], [1, 0]]), 2,
            "noise.matrix[0][0]: not a probability: found nan, expected 0...1"
        ),
        (
            LabelNoise(.matrix, matrix: [[0.5, 0.4375], [0, 1]]), 2,
            "noise.matrix[0]: row does not add up: found 0.9375, expected 1 within 1e-6 (row = "
                + "clean class, column = given label)"
        ),
    ]

    @Test(arguments: refused.indices) func refusals(_ i: Int) {
        let (noise, classes, sentence) = Self.refused[i]
        #expect(
            refusal { () throws(Problem) in try noise.validate(classCount: classes) } == sentence)
    }

    @Test func matrixRowsMayBeOffByRounding() throws {
        let noise = LabelNoise(.matrix, matrix: [[0.333333, 0.6666665], [0, 1]])
        let matrix = try noise.intendedTransition(classCount: 2)
        try noise.validate(classCount: 2)
        #expect(abs((matrix?[0].reduce(0, +) ?? 0) - 1) < 1e-15)
    }

    @Test func cleanIgnoresTheRest() throws {
        let noise = LabelNoise(.clean, rate: 7, path: "x")
        #expect(try noise.apply(labels: [0, 0], classCount: 1, seed: 1).labels == [0, 0])
    }

    @Test func labelsOutOfRange() {
        for (bad, classes) in [(2, 2), (-1, 2)] {
            #expect(
                refusal { () throws(Problem) in
                    _ = try LabelNoise(.symmetric, rate: 0.2).apply(
                        labels: [0, 1, bad], classCount: classes, seed: 1)
                } == "sample 2: label out of range: found \(bad), expected 0...1")
        }
    }

    @Test func warnings() throws {
        #expect(
            try LabelNoise(.pairflip, rate: 0.46).validate(classCount: 10) == [
                "pairflip above 0.45 leaves the clean label hardly more frequent than its "
                    + "neighbour; the literature stops at 0.45"
            ])
        #expect(try LabelNoise(.pairflip, rate: 0.45).validate(classCount: 10).isEmpty)
        #expect(
            try LabelNoise(.asymmetric, rate: 0.5, map: .cifar10).validate(
                classCount: 10, classNames: cifarNames) == [
                    "for 5 of 10 classes (first: bird) a wrong label is at least as frequent as "
                        + "the clean one; no method can tell them apart by counting"
                ])
        #expect(try LabelNoise(.symmetric, rate: 0.89).validate(classCount: 10).isEmpty)
        #expect(try LabelNoise(.symmetric, rate: 0.91).validate(classCount: 10).count == 1)
    }
}
