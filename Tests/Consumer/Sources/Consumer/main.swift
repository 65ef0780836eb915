import Foundation
import Limbeck

// Trains in the folder that is given, on samples that are made here, and says how it went.

let folder = CommandLine.arguments.dropFirst().first ?? "runs/consumer"

var draw = Draw(seed: 1, .synthesis)
var bytes: [UInt8] = []
var labels: [Int] = []
for i in 0..<600 {
    labels.append(i % 2)
    for pixel in 0..<64 {
        let isBright = (pixel < 32) == (i % 2 == 0)
        bytes.append(UInt8((isBright ? 140 : 60) + draw.below(60)))
    }
}
let data = try Dataset(
    name: "halves", images: bytes, shape: [1, 8, 8], labels: labels, classNames: ["top", "bottom"])

let experiment = Experiment(
    data: data, noise: .symmetric(rate: 0.3), model: .resNet8,
    method: SelfDistillation(stages: 1),
    optimizer: .sgd(learningRate: 0.05, weightDecay: 5e-4), epochs: 3, batch: 32, seed: 0,
    compute: ComputeOptions(threads: 1))
let result = try experiment.train(in: folder) { print($0) }
try result.report.write(to: folder + "/report.html")
print("test accuracy \(result.selected.test.accuracy)")

let network = CIFARResNet.resNet8(channels: 1, classes: 2, seed: 0)
let optimizer = SGD(network.parameters, learningRate: 0.05, momentum: 0.9)
for batch in data.batches(of: 32, epochs: 2, seed: 0) {
    let logits = Logits(network(batch.inputs, mode: .train(seed: batch.seed)))
    let loss = crossEntropy(logits, labels: batch.labels).mean()
    loss.backward()
    optimizer.step()
    optimizer.clearGradients()
}
print("a loop of its own: done")
