import Audit
import Foundation
import Testing

/// Answers of the package cleanlab 2.9 on small cases, by the package itself.
struct Vectors: Decodable {
    var cases: [Case]

    static let all: [Case] = {
        let file: Vectors = read("cleanlab")
        return file.cases
    }()

    struct Case: Decodable, CustomTestStringConvertible {
        var name: String
        var classes: Int
        var labels: [Int]
        var predictions: [[Double]]
        var thresholds: [Double]
        var raw: [[Int]]
        var disagreeing: [Int]
        var calibrated: [[Int]]
        var latent: [String: [Double]?]
        var noiseMatrix: [[Double]]
        var inverseNoiseMatrix: [[Double]]
        var converged: Latent
        var numbers: [String: Int]
        var issues: [String: [Int]]
        var issuesOfHalf: [String: [Int]]
        var issuesOfThree: [String: [Int]]
        var ranked: [String: [Int]]
        var scores: [String: [Double]]
        var adjustedScores: [String: [Double]]
        var adjusted: [[Double]]
        var distribution: [Double]
        var health: Double
        var classReport: ClassReport
        var overlaps: Overlaps

        var testDescription: String { name }

        var table: ProbabilityTable {
            ProbabilityTable(predictions.flatMap(\.self), classes: classes)
        }

        func learning() throws -> ConfidentLearning {
            try ConfidentLearning(table, labels: labels)
        }

        /// The rounding of the calibration is arbitrary in the package above 16 classes.
        var isRoundedAsHere: Bool { classes <= 16 }

        enum CodingKeys: String, CodingKey {
            case name, classes, labels, thresholds, latent, issues, ranked, scores
            case predictions = "pred_probs"
            case raw = "confident_joint_raw"
            case disagreeing = "off_diagonal_indices"
            case calibrated = "confident_joint_calibrated"
            case noiseMatrix = "noise_matrix"
            case inverseNoiseMatrix = "inverse_noise_matrix"
            case converged = "latent_converged"
            case numbers = "num_label_issues"
            case issuesOfHalf = "issues_frac_noise_0.5"
            case issuesOfThree = "issues_min_examples_per_class_3"
            case adjustedScores = "scores_adjusted"
            case adjusted = "adjusted_pred_probs_first3"
            case distribution = "ood_entropy_adjusted"
            case health = "overall_health"
            case classReport = "classes_by_quality"
            case overlaps = "overlapping_top5"
        }
    }

    struct Latent: Decodable {
        var prior: [Double]
        var noise: [[Double]]
        var inverse: [[Double]]

        enum CodingKeys: String, CodingKey {
            case prior = "py"
            case noise = "noise_matrix"
            case inverse = "inverse_noise_matrix"
        }
    }

    struct ClassReport: Decodable {
        var index: [Int]
        var wronglyGiven: [Int]
        var missed: [Int]
        var givenNoise: [Double]
        var trueNoise: [Double]
        var quality: [Double]

        enum CodingKeys: String, CodingKey {
            case index = "Class Index"
            case wronglyGiven = "Label Issues"
            case missed = "Inverse Label Issues"
            case givenNoise = "Label Noise"
            case trueNoise = "Inverse Label Noise"
            case quality = "Label Quality Score"
        }
    }

    struct Overlaps: Decodable {
        var first: [Int]
        var second: [Int]
        var samples: [Int]
        var joint: [Double]

        enum CodingKeys: String, CodingKey {
            case first = "Class Index A"
            case second = "Class Index B"
            case samples = "Num Overlapping Examples"
            case joint = "Joint Probability"
        }
    }

    /// - Parameter keys: of the file as they are, or `near_duplicate` read as `nearDuplicate`.
    static func read<Value: Decodable>(
        _ name: String, keys: JSONDecoder.KeyDecodingStrategy = .useDefaultKeys
    ) -> Value {
        let url = Bundle.module.url(
            forResource: name, withExtension: "json", subdirectory: "Fixtures")!
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = keys
        return try! decoder.decode(Value.self, from: Data(contentsOf: url))
    }
}

/// The largest difference; infinite for different lengths.
func difference(_ a: [Double], _ b: [Double]) -> Double {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).map { abs($0 - $1) }.max() ?? 0
}

func difference(_ a: [[Double]], _ b: [[Double]]) -> Double {
    difference(a.flatMap(\.self), b.flatMap(\.self))
}

let tolerance = 1e-10
