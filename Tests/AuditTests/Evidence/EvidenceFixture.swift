import Foundation

/// evidence.json, which evidence.py makes.
struct EvidenceFixture: Decodable {
    struct Logistic: Decodable {
        let columns: [[Double]]
        let changed: [Bool]
        let intercept: Double
        let coefficients: [Double]
    }
    struct Isotonic: Decodable {
        let values: [Double]
        let weights: [Double]
        let plain: [Double]
        let weighted: [Double]
    }
    struct Share: Decodable {
        let found: Int
        let drawn: Int
        let population: Int
        let low: Double
        let high: Double
        let probability: Double
    }
    struct Area: Decodable {
        let scores: [Double]
        let changed: [Bool]
        let auc: Double
    }

    let logistic: Logistic
    let isotonic: Isotonic
    let shares: [Share]
    let area: Area

    static func read() throws -> EvidenceFixture {
        let url = Bundle.module.url(
            forResource: "evidence", withExtension: "json", subdirectory: "Fixtures")!
        return try JSONDecoder().decode(EvidenceFixture.self, from: Data(contentsOf: url))
    }
}

func largestGap(_ a: [Double], _ b: [Double]) -> Double {
    a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
}
