import Testing

@testable import Replica

/// Order parameters to eight digits, computed independently by quadrature and confirmed by simulation
/// of finite systems.
@Suite struct VectorTests {
    static func solve(
        _ alpha: Double, _ delta: Double, _ theta: Double, rho: Double = 0.5, _ lambdas: [Double],
        _ betas: [Double]? = nil, loss: StageLoss = .crossEntropy, bias: BiasRule = .learnt,
        resolution: Resolution = .standard, couplings: Couplings = .all
    ) throws -> Solution {
        let mixture = try NoisyMixture(
            sampleRatio: alpha, variance: delta, noiseRate: theta, positiveShare: rho)
        var theory = StateEvolution(mixture, resolution: resolution)
        theory.couplings = couplings
        return try theory.solve(
            Schedule(lambdas: lambdas, betas: betas, loss: loss, bias: bias))
    }

    @Test func hardLabels() throws {
        let found = try Self.solve(3, 0.5, 0.3, [1, 1])
        #expect(found.converged)
        let p = found.parameters
        let tolerance = 1e-7
        expect(found.stages.map(\.error), [0.21457819, 0.14490389], tolerance)
        expect(p.m, [0.27671274, 0.57753615], tolerance)
        expect([p.q[0][0], p.q[0][1], p.q[1][1]], [0.24498247, 0.32850469, 0.59534813], tolerance)
        expect(
            [p.chi[0][0], p.chi[0][1], p.chi[1][1]], [0.75421192, 0.53944728, 0.77443277], tolerance
        )
        expect(
            [p.qHat[0][0], p.qHat[0][1], p.qHat[1][1]], [0.32588730, -0.92357442, 0.29126768],
            tolerance)
        expect(
            [p.cHat[0][0], p.cHat[0][1], p.cHat[1][1]], [0.29606538, 0.08258477, 0.17781182],
            tolerance)
        expect(p.mHat, [0.36688990, 0.49018895], tolerance)
        expect(found.stages.map(\.labelAccuracy), [0.8155, 0.8559], 1e-4)
    }

    @Test func softLabels() throws {
        let found = try Self.solve(3, 0.5, 0.3, [1, 1], [2])
        let p = found.parameters
        let tolerance = 1e-7
        #expect(abs(found.error - 0.14493149) < tolerance)
        expect(
            [p.m[1], p.q[0][1], p.q[1][1]], [0.26170958, 0.15944082, 0.12227885], tolerance)
        expect([p.chi[0][1], p.chi[1][1]], [0.30253482, 0.75167356], tolerance)
        expect([p.qHat[0][1], p.qHat[1][1]], [-0.53364531, 0.33036474], tolerance)
        expect(
            [p.cHat[0][1], p.cHat[1][1], p.mHat[1]], [0.03433920, 0.01959405, 0.20050275], tolerance
        )
    }

    @Test func imbalancedWithLearntBias() throws {
        let found = try Self.solve(3, 0.5, 0.2, rho: 0.3, [1, 1])
        let p = found.parameters
        let tolerance = 1e-7
        expect(found.stages.map(\.error), [0.16613680, 0.28524061], tolerance)
        expect(p.m, [0.37730212, 0.54969261], tolerance)
        expect([p.q[0][0], p.q[0][1], p.q[1][1]], [0.29578306, 0.31202753, 0.45255365], tolerance)
        expect(
            [p.chi[0][0], p.chi[0][1], p.chi[1][1]], [0.76746758, 0.31630057, 0.83280558], tolerance
        )
        expect(
            [p.qHat[0][0], p.qHat[0][1], p.qHat[1][1]], [0.30298663, -0.49487591, 0.20076045],
            tolerance)
        expect(
            [p.cHat[0][0], p.cHat[0][1], p.cHat[1][1]], [0.26048299, 0.06476554, 0.13006813],
            tolerance)
        expect(p.mHat, [0.49161962, 0.47333141], tolerance)
        expect(p.bias, [-0.37105847, -1.33544579], tolerance)
    }

    @Test func imbalancedWithCarriedBias() throws {
        let found = try Self.solve(3, 0.5, 0.2, rho: 0.3, [1, 1], bias: .carried)
        let p = found.parameters
        expect(
            [found.error, p.m[1], p.q[0][1], p.q[1][1], p.chi[0][1], p.chi[1][1]],
            [0.11733985, 0.58659113, 0.31444864, 0.48472251, 0.29623394, 0.78351906], 1e-7)
        expect(
            [p.qHat[0][1], p.qHat[1][1], p.mHat[1]], [-0.49263495, 0.27629314, 0.56279003], 1e-7)
        #expect(p.bias[0] == p.bias[1])
    }

    @Test func imbalancedWithSoftLabels() throws {
        let found = try Self.solve(3, 0.5, 0.2, rho: 0.4, [1.5, 0.5], [0.8])
        let p = found.parameters
        expect(found.stages.map(\.error), [0.15905719, 0.19176792], 1e-7)
        expect(p.m, [0.32734146, 0.17819856], 1e-7)
        expect([p.q[0][0], p.q[0][1], p.q[1][1]], [0.19114631, 0.09046602, 0.04572695], 1e-7)
        expect(p.bias, [-0.18786638, -0.16361411], 1e-7)
    }

    @Test func squaredLoss() throws {
        let found = try Self.solve(
            2, 0.5, 0.3, [0.2, 0.2, 0.2], [1, 1], loss: .squared, bias: .fixed(0))
        let p = found.parameters
        let tolerance = 1e-8
        expect(found.stages.map(\.error), [0.32694556, 0.27966457, 0.24641284], tolerance)
        expect(p.m, [0.22318758, 0.19208690, 0.16775841], tolerance)
        expect([p.q[0][0], p.q[1][1], p.q[2][2]], [0.49557590, 0.21649128, 0.11966756], tolerance)
        expect(p.chi[0], [1.84428877, 0.99481954, 0.60321189], tolerance)
        expect(p.qHat[0], [0.34221444, -0.29247346, -0.01958038], tolerance)
        expect(p.mHat, [0.12101553, 0.03887585, 0.03041061], tolerance)
    }

    /// Both sides of the class, so the general path with its own moments; and sampling instead of them.
    @Test func squaredLossTwoWays() throws {
        // A hard label sends it down the path of integration; a bias off zero, through all categories.
        let exact = try Self.solve(2, 0.5, 0.3, [0.2], loss: .squared, bias: .fixed(0))
        let integrated = try Self.solve(
            2, 0.5, 0.3, [0.2, 0.2], [.infinity], loss: .squared, bias: .fixed(0))
        #expect(abs(exact.stages[0].error - integrated.stages[0].error) < 1e-9)
        #expect(abs(exact.stages[0].labelAccuracy - integrated.stages[0].labelAccuracy) < 1e-9)
        let all = try Self.solve(2, 0.5, 0.3, [0.2, 0.2], loss: .squared, bias: .fixed(1e-13))
        let half = try Self.solve(2, 0.5, 0.3, [0.2, 0.2], loss: .squared, bias: .fixed(0))
        expect(all.stages.map(\.error), half.stages.map(\.error), 1e-9)
        expect(all.stages.map(\.labelAccuracy), half.stages.map(\.labelAccuracy), 1e-9)
    }
}

func expect(
    _ found: [Double], _ wanted: [Double], _ tolerance: Double,
    location: SourceLocation = #_sourceLocation
) {
    #expect(found.count == wanted.count, sourceLocation: location)
    for (i, (a, b)) in zip(found, wanted).enumerated() {
        #expect(
            abs(a - b) <= tolerance, "number \(i): \(a) is not \(b)", sourceLocation: location)
    }
}
