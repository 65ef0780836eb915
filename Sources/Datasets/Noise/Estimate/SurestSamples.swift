import Foundation

/// What labels the samples were given that networks are surest of.
///
/// Of the samples that are predicted as class a, those with the largest probability of it are nearly always
/// of class a; how often they were given each label then is row a of the transition matrix. Where networks
/// are wrong about some of these, the rate is too high; where unclear samples have more wrong labels than
/// clear ones, it is too low.
struct SurestSamples: Sendable {
    /// [predicted][given], rows weighted by how often each class is predicted; the sum of all is 1.
    let joint: [[Double]]
    /// Share off the diagonal.
    let rate: Double
    /// Standard error of `rate` from the numbers of samples that were counted.
    let rateError: Double

    /// - Parameter share: of the samples that are predicted as a class, at least one.
    init(_ data: OutOfSample, share: Double) {
        let c = data.classes
        var members = [[Int]](repeating: [], count: c)
        for (i, prediction) in data.predictions.enumerated() { members[prediction].append(i) }
        var joint = [[Double]](repeating: [Double](repeating: 0, count: c), count: c)
        var variance = 0.0
        for a in 0..<c where !members[a].isEmpty {
            let weight = Double(members[a].count) / Double(data.count)
            let size = max(1, Int((share * Double(members[a].count)).rounded()))
            func sureness(_ i: Int) -> Double { data.logProbabilities[i * c + a] }
            let surest = members[a].sorted {
                sureness($0) == sureness($1) ? $0 < $1 : sureness($0) > sureness($1)
            }.prefix(size)
            for i in surest { joint[a][data.labels[i]] += weight / Double(size) }
            let kept = joint[a][a] / weight
            variance += weight * weight * kept * (1 - kept) / Double(size)
        }
        self.joint = joint
        rate = 1 - joint.indices.reduce(0) { $0 + joint[$1][$1] }
        rateError = max(0, variance).squareRoot()
    }
}
