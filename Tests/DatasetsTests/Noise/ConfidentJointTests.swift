import Foundation
import Testing

@testable import Datasets

/// Against numbers of the cleanlab package, and by hand.
@Suite struct ConfidentJointTests {
    struct Case: Decodable {
        var name: String
        var classes: Int
        var labels: [Int]
        var predictions: [[Double]]
        var thresholds: [Double]
        var raw: [[Int]]
        var calibrated: [[Int]]
        var joint: [[Double]]

        enum CodingKeys: String, CodingKey {
            case name, classes, labels, thresholds, joint
            case predictions = "pred_probs"
            case raw = "confident_joint_raw"
            case calibrated = "confident_joint_calibrated"
        }
    }

    static func cases() throws -> [Case] {
        struct File: Decodable { var cases: [Case] }
        let url = Bundle.module.url(
            forResource: "confident-joint", withExtension: "json", subdirectory: "Fixtures")!
        return try JSONDecoder().decode(File.self, from: Data(contentsOf: url)).cases
    }

    @Test func equalsThePackage() throws {
        let cases = try Self.cases()
        #expect(cases.count == 7)
        for known in cases {
            let data = try OutOfSample(
                logProbabilities: known.predictions.flatMap { $0.map { log($0) } },
                labels: known.labels, classes: known.classes)
            let found = ConfidentJoint(data)
            for (a, b) in zip(found.thresholds, known.thresholds) {
                #expect(abs(a - b) < 1e-12, "\(known.name)")
            }
            #expect(found.counts == known.raw, "\(known.name)")
            #expect(found.calibratedCounts == known.calibrated, "\(known.name)")
            // Theirs is of the rounded counts.
            let n = Double(data.count)
            for (row, other) in zip(found.calibratedCounts, known.joint) {
                for (a, b) in zip(row, other) { #expect(abs(Double(a) / n - b) < 1e-12) }
            }
        }
    }

    /// Thresholds (.9 + .6 + .2)/3 and (.8 + .9)/2. The third sample is confidently of class 1 (.8 < .85 is
    /// not), so it is counted nowhere.
    @Test func byHand() throws {
        let p = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.2, 0.8], [0.1, 0.9]]
        let data = try OutOfSample(
            logProbabilities: p.flatMap { $0.map { log($0) } }, labels: [0, 0, 0, 1, 1],
            classes: 2)
        let joint = ConfidentJoint(data)
        #expect(abs(joint.thresholds[0] - 1.7 / 3) < 1e-12)
        #expect(abs(joint.thresholds[1] - 0.85) < 1e-12)
        #expect(joint.counts == [[2, 0], [0, 1]])
        #expect(joint.calibratedCounts == [[3, 0], [0, 2]])
    }

    @Test func refusesWhatIsNoPrediction() {
        func said(_ values: [Double], _ labels: [Int], _ classes: Int) -> String {
            failure {
                try OutOfSample(logProbabilities: values, labels: labels, classes: classes)
            }
        }
        #expect(
            said([], [], 2)
                == "nothing to estimate label noise from: found no sample, expected predictions of at "
                + "least one sample")
        #expect(
            said([0, 0, 0], [0, 1], 2)
                == "predictions and labels do not fit: found 3 numbers, expected 2 samples x 2 classes"
        )
        #expect(
            said([0, 0], [2], 2)
                == "sample 0: label is no class: found 2, expected 0 to 1")
        for bad in [Double.nan, .infinity] {
            #expect(
                said([0, 0, 0, bad], [0, 1], 2)
                    == "sample 1: prediction is not finite: found not a number or infinite, expected "
                    + "logarithms of probabilities")
        }
        #expect(said([-.infinity, -.infinity], [0], 2).hasPrefix("sample 0: prediction is not"))
        #expect(said([0, -.infinity], [1], 2) == "nothing thrown", "a class that is ruled out")
    }
}
