// What `import Limbeck` gives: data, networks, losses, methods, training and reports. The targets can be
// imported one by one as well; `Replica` and `Experiments` (the theory, and experiments on features) are
// imported by their own names.
@_exported import Datasets
@_exported import Diagnostics
@_exported import Distillation
@_exported import Files
@_exported import Models
@_exported import Neural
@_exported import Randomness
@_exported import Report
@_exported import RunReports
@_exported import SafeTensors
@_exported import Torch
@_exported import Training
