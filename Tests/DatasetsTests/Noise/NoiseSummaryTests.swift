import Datasets
import Foundation
import Testing

struct NoiseSummaryTests {
    /// 4 cats of which 1 became a dog, 2 dogs unchanged, no owl.
    @Test func unknownIsNotZero() throws {
        let noisy = LabelNoise.measured(
            given: [0, 1, 1], clean: nil, classCount: 2, classNames: ["cat", "dog"], ids: [0, 1, 2])
        #expect(
            NoiseSummary(noisy).lines == [
                "noise      none",
                "realised   unknown: no clean label is known of these 3 labels",
                "sha256     \(noisy.sha256)", "",
                "class                    given",
                "0 cat                        1",
                "1 dog                        2",
            ])
    }

    @Test func smallMatrix() throws {
        try withFile(Array("label\ndog\ncat\ncat\ncat\ndog\ndog\n".utf8)) { path in
            let noisy = try LabelNoise(.file, path: path).apply(
                labels: [0, 0, 0, 0, 1, 1], classCount: 3, classNames: ["cat", "dog", "owl\u{1b}"],
                seed: 1)
            let lines = NoiseSummary(noisy).lines
            #expect(lines[0].hasPrefix("noise      file "))
            #expect(
                Array(lines[1...]) == [
                    "realised   16.7 %: 1 of 6 labels (no intended rate)",
                    "sha256     \(noisy.sha256)",
                    "",
                    "class                  samples   changed   most often given instead",
                    "0 cat                        4    25.0 %   1 dog 25.0 %",
                    "1 dog                        2     0.0 %",
                    "2 owl\\u{1B}                  0         -   no samples",
                    "",
                    "realised transition, row: clean, column: given",
                    "                         0     1     2",
                    "0 cat                0.750 0.250 0.000",
                    "1 dog                0.000 1.000 0.000",
                    "2 owl\\u{1B}          0.000 0.000 1.000  no samples",
                ])
        }
    }

    @Test func compatibilityAndSeedAreNamed() throws {
        let noisy = try LabelNoise(.asymmetricInPlace, rate: 0.4, map: .cifar10).apply(
            labels: cyclicLabels(100, 10), classCount: 10, classNames: cifarNames, seed: 3)
        let lines = NoiseSummary(noisy).lines
        #expect(lines[0] == "noise      asymmetric-elr-inplace, rate 0.4, map cifar10, seed 3")
        #expect(lines[1] == "mode       compatibility")
        #expect(lines[2].hasSuffix("labels (intended 18.4 %)"))
        #expect(lines[4] == "warning    \(noisy.warnings[0])")
        #expect(lines.contains("9 truck                     10    40.0 %   1 automobile 40.0 %"))
    }

    @Test func manyClassesAreToldByTheirLargestEntries() throws {
        let noisy = try LabelNoise(.pairflip, rate: 1).apply(
            labels: cyclicLabels(300, 150), classCount: 150, seed: 3)
        let lines = NoiseSummary(noisy).lines
        #expect(lines.contains("and 50 more classes"))
        #expect(
            lines.contains("realised transition, largest of 150 entries off the diagonal"))
        #expect(lines.suffix(10).first == " 100.0 %   0 → 1" && lines.last == " 100.0 %   9 → 10")
        let clean = try LabelNoise(.clean).apply(
            labels: cyclicLabels(30, 15), classCount: 15, seed: 3)
        #expect(NoiseSummary(clean).lines.first == "noise      none")
        #expect(NoiseSummary(clean).lines.last == "realised transition: the identity")
    }
}
