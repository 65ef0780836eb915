import Diagnostics
import Randomness
import Testing

@testable import Datasets

@Suite struct BatchPlanTests {
    @Test func everyEpochIsAPermutation() throws {
        let data = try someImages(97)
        let members = Array(stride(from: 0, to: 97, by: 2))
        let plan = try BatchPlan(data, members: members, batchSize: 8, seed: 3)
        var seen: Set<[Int]> = []
        for epoch in 0..<50 {
            let order = plan.order(epoch: epoch)
            #expect(order.sorted() == members)
            seen.insert(order)
            #expect(
                (0..<plan.stepsPerEpoch).flatMap { plan.batch(epoch: epoch, step: $0).indices }
                    == order)
        }
        #expect(seen.count == 50)
        #expect(plan.order(epoch: 0) == plan.order(epoch: 0))
    }

    /// All 24 orders of four samples, 2,400 epochs: mean 100 each, sd 9.8; six sd either side.
    @Test func permutationsAreUniform() throws {
        let plan = try BatchPlan(try someImages(4), members: [0, 1, 2, 3], batchSize: 4, seed: 11)
        var counts: [[Int]: Int] = [:]
        for epoch in 0..<2400 { counts[plan.order(epoch: epoch), default: 0] += 1 }
        #expect(counts.count == 24)
        #expect(counts.values.allSatisfy { 41...159 ~= $0 })
    }

    @Test func stepsAndLastBatch() throws {
        let data = try someImages(10)
        let all = Array(0..<10)
        let keep = try BatchPlan(data, members: all, batchSize: 4, seed: 1, shuffled: false)
        #expect(keep.stepsPerEpoch == 3)
        #expect(keep.batch(epoch: 0, step: 2).indices == [8, 9])
        #expect(keep.batch(epoch: 0, step: 2).shape == [2, 1, 4, 4])
        let drop = try BatchPlan(data, members: all, batchSize: 4, seed: 1, dropLast: true)
        #expect(drop.stepsPerEpoch == 2)
        #expect(drop.batch(epoch: 5, step: 1).indices.count == 4)
        #expect(try BatchPlan(data, members: all, batchSize: 5, seed: 1).stepsPerEpoch == 2)
    }

    @Test func valuesAreNormalisedBytes() throws {
        let data = try someImages(5, channels: 3, height: 2, width: 3)
        guard case .images(let bytes, _, _, _) = data.features else { return }
        let norm = try Normalisation(mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 2])
        func batch(_ layout: BatchPlan.Layout) throws -> Batch {
            try BatchPlan(
                data, members: [4, 1], batchSize: 2, seed: 1, normalisation: norm, layout: layout,
                shuffled: false
            ).batch(epoch: 0, step: 0)
        }
        let first = try batch(.channelsFirst)
        let last = try batch(.channelsLast)
        #expect(first.shape == [2, 3, 2, 3])
        #expect(last.shape == [2, 2, 3, 3])
        for (n, sample) in [4, 1].enumerated() {
            for c in 0..<3 {
                for y in 0..<2 {
                    for x in 0..<3 {
                        let byte = bytes[sample * 18 + c * 6 + y * 3 + x]
                        let value = (Float(byte) / 255 - norm.mean[c]) / norm.std[c]
                        #expect(first.features[n * 18 + c * 6 + y * 3 + x] == value)
                        #expect(last.features[n * 18 + y * 9 + x * 3 + c] == value)
                    }
                }
            }
        }
    }

    @Test func withoutNormalisationBytesBecomeFractions() throws {
        let data = try Dataset(
            name: "a", features: .images(bytes: [0, 51, 255], channels: 1, height: 1, width: 3),
            labels: [0], classNames: ["x"])
        let plan = try BatchPlan(data, members: [0], batchSize: 1, seed: 1)
        #expect(plan.batch(epoch: 0, step: 0).features == [0, 0.2, 1])
    }

    /// The augmentation's key is the index in the data set: other members, other batch size, same
    /// picture.
    @Test func augmentationFollowsTheSample() throws {
        let data = try someImages(40, height: 6, width: 6)
        let augmentation = Augmentation(padding: 2, flip: true)
        func pictures(_ members: [Int], _ batchSize: Int) throws -> [Int: [Float]] {
            let plan = try BatchPlan(
                data, members: members, batchSize: batchSize, seed: 9, augmentation: augmentation)
            var out: [Int: [Float]] = [:]
            for step in 0..<plan.stepsPerEpoch {
                let batch = plan.batch(epoch: 2, step: step)
                for (row, index) in batch.indices.enumerated() {
                    out[index] = Array(batch.features[row * 36..<(row + 1) * 36])
                }
            }
            return out
        }
        let all = try pictures(Array(0..<40), 7)
        for (index, picture) in try pictures([3, 17, 30, 31], 2) { #expect(all[index] == picture) }
        let plan = try BatchPlan(
            data, members: [1, 2], batchSize: 2, seed: 9, augmentation: augmentation,
            shuffled: false)
        #expect(
            plan.batch(epoch: 0, step: 0).features
                != plan.batch(epoch: 0, step: 0, view: 1).features)
    }

    @Test func prefetcherGivesTheSameBatches() throws {
        let data = try someImages(53, height: 8, width: 8)
        let plan = try BatchPlan(
            data, members: Array(0..<53), batchSize: 6, seed: 4,
            augmentation: .init(padding: 1, flip: true), layout: .channelsLast)
        for (epoch, step) in [(0, 0), (1, 4), (2, plan.stepsPerEpoch), (3, 0)] {
            let ahead = Prefetcher(plan, epoch: epoch, step: step, epochs: 3, depth: 4)
            var position = epoch * plan.stepsPerEpoch + step
            while let batch = ahead.next() {
                #expect(
                    batch
                        == plan.batch(
                            epoch: position / plan.stepsPerEpoch,
                            step: position % plan.stepsPerEpoch))
                position += 1
            }
            #expect(position == max(3, epoch) * plan.stepsPerEpoch)
            #expect(ahead.next() == nil)
        }
    }

    @Test func prefetcherCanBeDroppedAtAnyTime() throws {
        let plan = try BatchPlan(
            try someImages(500, height: 16, width: 16), members: Array(0..<500), batchSize: 50,
            seed: 4)
        for taken in 0..<30 {
            let ahead = Prefetcher(plan, epochs: 1000, depth: 1 + taken % 5)
            for step in 0..<taken { #expect(ahead.next()?.step == step % 10) }
        }
    }

    @Test func refused() throws {
        let data = try someImages(4)
        func plan(_ members: [Int], _ size: Int, drop: Bool = false) -> String {
            failure {
                try BatchPlan(data, members: members, batchSize: size, seed: 1, dropLast: drop)
            }
        }
        #expect(plan([], 1) == "random: no samples chosen")
        #expect(
            plan([0, 4], 1) == "random: sample does not exist: found sample 4, expected 0 to 3")
        #expect(plan([0], 0) == "batch size out of range: found 0, expected at least 1")
        #expect(
            plan([0, 1], 3, drop: true)
                == "random: not one full batch: found 2 samples, expected at least 3 "
                + "(choose a smaller batch size)")
        let norm = try Normalisation(mean: [0, 0], std: [1, 1])
        #expect(
            failure {
                try BatchPlan(data, members: [0], batchSize: 1, seed: 1, normalisation: norm)
            } == "random: normalisation does not fit the samples: found 2 means, expected 1")
    }
}
